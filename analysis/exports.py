"""What is lost when a network is written in another format: the same test cases, called by each file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.confusion import confusion_matrices
from analysis.metrics import balanced_accuracies
from analysis.predictions import PredictionsError, read_committed
from model.bundle import Card
from model.prediction import calibrated_probabilities, decide

EXPORTS_FILE = "exports.parquet"
ORIGINAL = "original"
# What an int8 network may lose in balanced accuracy and still be offered for serving.
TOLERABLE_LOSS = 0.005


@dataclass(frozen=True)
class Export:
    """A network in one format on the test part: how large it is, how fast, and what it is worth.

    `milliseconds` is the median latency of one image on the machine that measured it.
    `difference` is its balanced accuracy minus the original's, both on the same resamples; `same_call` the share of
    cases that both call alike; `logit_error` the mean absolute difference of their logits.
    """

    format: str
    bytes: int
    milliseconds: float
    cases: int
    balanced_accuracy: Estimate
    difference: Estimate
    same_call: float
    logit_error: float

    @property
    def serves(self) -> bool:
        """Whether it loses little enough to be offered for serving."""
        return self.difference.value > -TOLERABLE_LOSS


def format_rows(cases: pd.DataFrame, name: str, logits: NDArray[np.float32], card: Card) -> pd.DataFrame:
    """The predictions of one format for `cases`, called as the card says.

    Columns: image_id, lesion_id, diagnosis, `format`, `predicted`, and `logit_<code>` (float32) of every class.
    """
    called = decide(calibrated_probabilities(logits, card.temperature), card.class_prior)
    table = cases[["image_id", "lesion_id", "diagnosis"]].reset_index(drop=True)
    columns = {f"logit_{code}": logits[:, index] for index, code in enumerate(card.classes)}
    return table.assign(format=name, predicted=np.array(card.classes)[called], **columns)


def compare_exports(table: pd.DataFrame) -> tuple[Export, ...]:
    """The exports in a table of `format_rows`, the format `original` among them and first.

    `table.attrs` holds, by format, its size in `bytes` and its latency in `milliseconds`. All formats have the same
    cases in the same order, else PredictionsError is raised. Intervals are bootstrapped over lesions.
    """
    scores = [name for name in table.columns if name.startswith("logit_")]
    classes = [name.removeprefix("logit_") for name in scores]
    by_format = {str(name): part for name, part in table.groupby("format", sort=False)}
    original = by_format[ORIGINAL]
    weights = lesion_weights(original["lesion_id"])
    reference = balanced_accuracies(confusion_matrices(original, classes, weights))
    exports = []
    for name, part in by_format.items():
        if list(part["image_id"]) != list(original["image_id"]):
            raise PredictionsError(f"Format {name} was not measured on the cases of the original.")
        values = balanced_accuracies(confusion_matrices(part, classes, weights))
        exports.append(
            Export(
                format=name,
                cases=len(part),
                bytes=int(table.attrs["bytes"][name]),
                milliseconds=float(table.attrs["milliseconds"][name]),
                balanced_accuracy=estimate(values),
                difference=estimate(values - reference),
                same_call=float((part["predicted"].to_numpy() == original["predicted"].to_numpy()).mean()),
                logit_error=float(np.abs(part[scores].to_numpy() - original[scores].to_numpy()).mean()),
            )
        )
    return tuple(exports)


def read_exports(folder: Path) -> pd.DataFrame:
    """The table kept in `folder`, `attrs` with it; raises PredictionsError where there is none."""
    return read_committed(folder / EXPORTS_FILE, "lesionlens export BUNDLE --data PATH --save")

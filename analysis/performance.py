"""What a model card says of predictions: for whom they are right, where they fail, and how far they can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.confusion import Confusion, confusion_matrices, confusion_matrix, largest_confusions
from analysis.curves import Reliability, reliability, top_scores
from analysis.groups import GroupFigures, group_figures
from analysis.headline import MELANOMA
from analysis.predictions import logits
from analysis.shares import share
from model.prediction import calibrated_probabilities

NAEVUS = "nv"


@dataclass(frozen=True)
class Calibration:
    """The reliability diagrams of the most probable class at temperature 1 (`before`) and after temperature scaling."""

    before: Reliability
    after: Reliability


@dataclass(frozen=True)
class Performance:
    """Figures by group of patients, the largest confusions, and calibration, on so many `cases` and `lesions`.

    `melanomas_called_naevi` of `melanomas` images were called naevus: the error that costs most, with its share.
    """

    cases: int
    lesions: int
    groups: tuple[GroupFigures, ...]
    confusions: tuple[Confusion, ...]
    melanomas: int
    melanomas_called_naevi: int
    melanomas_called_naevi_share: Estimate
    calibration: Calibration


def performance(table: pd.DataFrame, classes: Sequence[str], seed: int = 0) -> Performance:
    """Everything above, from a table of predictions (`analysis.predictions.read_predictions`)."""
    weights = lesion_weights(table["lesion_id"], seed=seed)
    melanoma, naevus = classes.index(MELANOMA), classes.index(NAEVUS)
    of_melanoma = confusion_matrices(table, classes, weights)[:, melanoma]
    matrix = confusion_matrix(table, classes)
    return Performance(
        cases=len(table),
        lesions=table["lesion_id"].nunique(),
        groups=group_figures(table, classes, seed),
        confusions=tuple(largest_confusions(matrix, classes, 5)),
        melanomas=int(matrix[melanoma].sum()),
        melanomas_called_naevi=int(matrix[melanoma, naevus]),
        melanomas_called_naevi_share=estimate(share(of_melanoma[:, naevus], of_melanoma.sum(axis=1))),
        calibration=calibration(table, classes, seed),
    )


def calibration(table: pd.DataFrame, classes: Sequence[str], seed: int = 0) -> Calibration:
    """Both reliability diagrams of a table of predictions."""
    before, after = (
        reliability(*top_scores(part, classes), part["lesion_id"], seed=seed)
        for part in (uncalibrated(table, classes), table)
    )
    return Calibration(before, after)


def uncalibrated(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The same predictions with the probabilities that their logits give at temperature 1."""
    shares = calibrated_probabilities(logits(table, classes).astype(np.float32), 1.0)
    return table.assign(**{f"probability_{code}": shares[:, index] for index, code in enumerate(classes)})

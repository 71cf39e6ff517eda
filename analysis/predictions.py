"""The stored predictions of a model's test part: read, validated and ready to be counted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import model
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.cases import fingerprint

# Predictions beyond those of a bundle's own test part, each written by the command that makes it.
COMMITTED = Path(model.__file__).resolve().parent / "predictions"
CASE_COLUMNS = ("image_id", "lesion_id", "diagnosis", "confirmation", "age", "sex", "site", "predicted")
MAP_COLUMN = "gradcam"


class PredictionsError(ValueError):
    """A file of predictions is missing, unreadable or contradicts itself; the message says what is wrong."""


def read_predictions(path: Path, classes: Sequence[str], *, maps: bool = True) -> pd.DataFrame:
    """Read a test_predictions.parquet: one row per case, with two columns added.

    `confidence` is the probability of the called class, float64 in [0, 1]; `correct` tells whether the called class is
    the diagnosis. Raises PredictionsError when the file or a column is missing, a class is unknown, an image occurs
    twice, probabilities are not probabilities, or, with `maps`, a row lacks its Grad-CAM maps.
    """
    if not path.is_file():
        raise PredictionsError(f"There are no test predictions at {path}: `lesionlens train` writes them with a model.")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise PredictionsError(f"{path} is not a readable Parquet file: {error}") from error
    return annotate(table, classes, str(path), maps=maps)


def read_committed(path: Path, command: str) -> pd.DataFrame:
    """A table that `command` writes; raises PredictionsError, naming the command, where it is missing or unreadable."""
    if not path.is_file():
        raise PredictionsError(f"There is no {path.name} in {path.parent}: `{command}` writes it.")
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise PredictionsError(f"{path} is not a readable Parquet file: {error}") from error


def check_kept_data(folder: Path, cases: pd.DataFrame, bundle: Path = DEFAULT_BUNDLE) -> None:
    """Raise PredictionsError where figures of other cases, or of another bundle, would replace those in COMMITTED."""
    own = bundle.resolve() == DEFAULT_BUNDLE.resolve()
    if folder.resolve() == COMMITTED and not (
        own and fingerprint(cases) == load_bundle(DEFAULT_BUNDLE).card.data["fingerprint"]
    ):
        raise PredictionsError(
            f"{folder} keeps the figures of the default model and of the data set that it was trained on: give others "
            "a folder of their own, by --save DIR."
        )


def annotate(
    table: pd.DataFrame, classes: Sequence[str], source: str = "The table", *, maps: bool = True
) -> pd.DataFrame:
    """Validate a table of predictions and add `confidence` and `correct`, as `read_predictions` does."""
    _validate(table, classes, source)
    if maps:
        _validate_maps(table, classes, source)
    called = np.asarray([classes.index(code) for code in table["predicted"]])
    confidence = probabilities(table, classes)[np.arange(len(table)), called]
    return table.assign(confidence=confidence, correct=table["predicted"] == table["diagnosis"])


def probabilities(table: pd.DataFrame, classes: Sequence[str]) -> NDArray[np.float64]:
    """Calibrated probabilities, float64 (cases, classes), in the order of `classes`."""
    return table[[f"probability_{code}" for code in classes]].to_numpy(np.float64)


def logits(table: pd.DataFrame, classes: Sequence[str]) -> NDArray[np.float64]:
    """Logits, float64 (cases, classes), in the order of `classes`."""
    return table[[f"logit_{code}" for code in classes]].to_numpy(np.float64)


def margin(table: pd.DataFrame, code: str, against: str) -> NDArray[np.float64]:
    """The decision margin logit(code) - logit(against) of every case, float64 (cases,)."""
    difference: NDArray[np.float64] = logits(table, [code])[:, 0] - logits(table, [against])[:, 0]
    return difference


def class_maps(stored: NDArray[np.float32], classes: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Unfold one case's stored Grad-CAM maps, float32 (classes * side * side,), to one signed (side, side) by class."""
    side = round((len(stored) / len(classes)) ** 0.5)
    maps = np.asarray(stored, np.float32).reshape(len(classes), side, side)
    return dict(zip(classes, maps, strict=True))


def _validate(table: pd.DataFrame, classes: Sequence[str], source: str) -> None:
    scores = [f"{kind}_{code}" for kind in ("logit", "probability") for code in classes]
    missing = [name for name in (*CASE_COLUMNS, *scores) if name not in table.columns]
    if missing:
        raise PredictionsError(f"{source} has no column {', '.join(missing)}.")
    if table.empty:
        raise PredictionsError(f"{source} has no rows.")
    for column in ("diagnosis", "predicted"):
        unknown = sorted(set(table[column].astype(str)) - set(classes))
        if unknown:
            raise PredictionsError(
                f"{source}: column {column} holds {', '.join(unknown)}, not of {', '.join(classes)}."
            )
    repeated = table["image_id"][table["image_id"].duplicated()].unique()
    if len(repeated):
        raise PredictionsError(f"{source}: {len(repeated)} images occur more than once, {repeated[0]} among them.")
    if not np.isfinite(table[scores].to_numpy(np.float64)).all():
        raise PredictionsError(f"{source} holds logits or probabilities that are not finite numbers.")
    shares = probabilities(table, classes)
    if shares.min() < 0 or not np.allclose(shares.sum(axis=1), 1, atol=1e-3):
        raise PredictionsError(f"{source}: the probabilities of a case are not shares that add up to 1.")


def _validate_maps(table: pd.DataFrame, classes: Sequence[str], source: str) -> None:
    if MAP_COLUMN not in table.columns:
        raise PredictionsError(f"{source} has no column {MAP_COLUMN}.")
    lengths = {len(stored) for stored in table[MAP_COLUMN]}
    sides = [round((length / len(classes)) ** 0.5) for length in lengths]
    if len(lengths) != 1 or sides[0] ** 2 * len(classes) not in lengths:
        raise PredictionsError(f"{source}: column {MAP_COLUMN} does not hold one square map per class in every row.")

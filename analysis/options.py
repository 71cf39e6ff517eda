"""What test-time augmentation and the ensemble gain, and what they cost, from committed predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.curves import reliability, top_scores
from analysis.gains import Gain, paired_gain
from analysis.out_of_fold import OutOfFold
from analysis.predictions import COMMITTED, PredictionsError, read_predictions

TEST, EXTERNAL = "test parts", "ISIC 2018 validation"
AUGMENTATION, ENSEMBLE = "Test-time augmentation", "Ensemble"


@dataclass(frozen=True)
class CalibrationError:
    """The expected error of the most probable class (`analysis.curves.reliability`), and what chance alone shows."""

    value: float
    by_chance: float


@dataclass(frozen=True)
class OptionGain:
    """The gain of an `option` over single models without it, on the `data` named, of so many `cases`.

    `without` in `figures` and in the calibration errors is the mean over `models` single models. `rarest` is how many
    images the rarest diagnosis has. `cost` is how many times longer one image takes, the
    ratio of medians, NaN where it was not recorded.
    """

    option: str
    data: str
    models: int
    cases: int
    rarest: int
    figures: Gain
    calibration_without: CalibrationError
    calibration_with: CalibrationError
    cost: float


def option_gains(predictions: OutOfFold, folder: Path = COMMITTED, seed: int = 0) -> tuple[OptionGain, ...]:
    """The gains for which predictions lie in `folder`, for the models of all folds, the first the default one.

    `lesionlens evaluate --data … --save` writes them: `<bundle>_test_tta` predicts a bundle's own test part,
    `isic2018_validation_<bundle|ensemble>[_tta]` the official ISIC 2018 validation images, which no model has seen.
    Raises PredictionsError where such a file is damaged or of other cases.
    """
    classes = predictions.classes
    names = [bundle.card.name for bundle in predictions.bundles]

    def committed(name: str) -> pd.DataFrame | None:
        path = folder / f"{name}.parquet"
        return read_predictions(path, classes, maps=False) if path.is_file() else None

    def gain(option: str, data: str, pairs: list[tuple[pd.DataFrame | None, pd.DataFrame | None]]) -> OptionGain | None:
        found = [(before, after) for before, after in pairs if before is not None and after is not None]
        if len(found) < len(pairs):
            return None
        there = [(before, _aligned(after, before)) for before, after in found]
        without, with_option = (pd.concat([pair[which] for pair in there], ignore_index=True) for which in (0, 1))
        return OptionGain(
            option,
            data,
            len(there),
            without["image_id"].nunique(),
            int(without.drop_duplicates("image_id")["diagnosis"].value_counts().min()),
            paired_gain(there, classes, seed),
            _calibration_error([before for before, _ in there], classes, seed),
            _calibration_error([after for _, after in there], classes, seed),
            _cost(without, with_option),
        )

    own = [part for _, part in predictions.table.groupby("fold")]
    augmented = [committed(f"{name}_test_tta") for name in names]
    singles = [committed(f"isic2018_validation_{name}") for name in names]
    first_augmented, ensemble, both = (
        committed(f"isic2018_validation_{name}") for name in (f"{names[0]}_tta", "ensemble", "ensemble_tta")
    )
    found = [
        gain(AUGMENTATION, TEST, list(zip(own, augmented, strict=True))),
        gain(AUGMENTATION, EXTERNAL, [(singles[0], first_augmented)]),
        gain(ENSEMBLE, EXTERNAL, [(single, ensemble) for single in singles]),
        gain("Ensemble with test-time augmentation", EXTERNAL, [(single, both) for single in singles]),
    ]
    return tuple(one for one in found if one is not None)


def _aligned(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The same predictions in the order of the other's cases, under its names of their lesions.

    Raises PredictionsError where they are not of the same cases.
    """
    if set(table["image_id"]) != set(other["image_id"]):
        raise PredictionsError("Predictions with and without an option are of different cases; save them again.")
    ordered = table.set_index("image_id").reindex(other["image_id"]).reset_index()
    return ordered.assign(lesion_id=other["lesion_id"].to_numpy())


def _calibration_error(tables: Sequence[pd.DataFrame], classes: Sequence[str], seed: int) -> CalibrationError:
    """The mean over tables, which the error, being the larger the fewer the cases, must not see as one."""
    found = [reliability(*top_scores(table, classes), table["lesion_id"], seed=seed) for table in tables]
    values = np.array([(one.error.value, one.perfect_error) for one in found])
    return CalibrationError(*values.mean(axis=0).tolist())


def _cost(without: pd.DataFrame, with_option: pd.DataFrame) -> float:
    if "seconds" not in without or "seconds" not in with_option:
        return float("nan")
    return float(with_option["seconds"].median() / without["seconds"].median())

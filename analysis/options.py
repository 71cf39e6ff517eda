"""What test-time augmentation and the ensemble gain, and what they cost, from committed predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.gains import Gain, paired_gain
from analysis.predictions import COMMITTED, read_predictions
from model.bundle import ModelBundle

TEST, EXTERNAL = "test parts", "ISIC 2018 validation"


@dataclass(frozen=True)
class OptionGain:
    """The gain of an `option` over single models without it, on the `data` named, of so many `cases`.

    `without` in `figures` is the mean over `models` single models. `cost` is how many times longer one image takes, the
    ratio of medians, NaN where it was not recorded.
    """

    option: str
    data: str
    models: int
    cases: int
    figures: Gain
    cost: float


def option_gains(bundles: Sequence[ModelBundle], folder: Path = COMMITTED, seed: int = 0) -> tuple[OptionGain, ...]:
    """The gains for which predictions lie in `folder`: of the bundles of all folds, the first the default model.

    `lesionlens evaluate --data … --save` writes them: `<bundle>_test_tta` predicts a bundle's own test part,
    `isic2018_validation_<bundle|ensemble>[_tta]` the official ISIC 2018 validation images, which no model has seen.
    Raises PredictionsError where such a file is damaged.
    """
    classes = bundles[0].card.classes
    names = [bundle.card.name for bundle in bundles]

    def committed(name: str) -> pd.DataFrame | None:
        path = folder / f"{name}.parquet"
        return _ordered(read_predictions(path, classes, maps=False)) if path.is_file() else None

    def gain(option: str, data: str, pairs: list[tuple[pd.DataFrame | None, pd.DataFrame | None]]) -> OptionGain | None:
        there = [(before, after) for before, after in pairs if before is not None and after is not None]
        if len(there) < len(pairs):
            return None
        cases = len({image for before, _ in there for image in before["image_id"]})
        return OptionGain(option, data, len(there), cases, paired_gain(there, classes, seed), _cost(there))

    own = [_ordered(read_predictions(bundle.predictions_path, classes)) for bundle in bundles]
    augmented = [committed(f"{name}_test_tta") for name in names]
    singles = [committed(f"isic2018_validation_{name}") for name in names]
    first_augmented, ensemble, both = (
        committed(f"isic2018_validation_{name}") for name in (f"{names[0]}_tta", "ensemble", "ensemble_tta")
    )
    found = [
        gain("Test-time augmentation", TEST, list(zip(own, augmented, strict=True))),
        gain("Test-time augmentation", EXTERNAL, [(singles[0], first_augmented)]),
        gain("Ensemble", EXTERNAL, [(single, ensemble) for single in singles]),
        gain("Ensemble with test-time augmentation", EXTERNAL, [(single, both) for single in singles]),
    ]
    return tuple(one for one in found if one is not None)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("image_id", ignore_index=True)


def _cost(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> float:
    timed = [(before, after) for before, after in pairs if "seconds" in before and "seconds" in after]
    if not timed:
        return float("nan")
    before, after = (pd.concat([pair[which]["seconds"] for pair in timed]).median() for which in (0, 1))
    return float(after / before)

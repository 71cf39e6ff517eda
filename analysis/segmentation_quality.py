"""How well the estimated lesion masks of model/segmentation.py agree with those that people drew."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.bootstrap import Estimate, estimate, lesion_weights
from model.images import decode_file
from model.masks import dice, prepare_mask, read_mask
from model.segmentation import SIZE, segment

PER_CLASS = 50


def segmentation_quality(
    cases: pd.DataFrame, per_class: int = PER_CLASS, on_progress: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """The Dice overlap of estimated and drawn masks of up to `per_class` cases of each diagnosis, drawn with a seed.

    `cases` as of `model.cases.load_cases`; those without a mask are left out. Gives image_id, lesion_id, diagnosis and
    dice, in [0, 1].
    """
    drawn = cases.dropna(subset=["mask_path"]).sample(frac=1, random_state=1)
    chosen = drawn.groupby("diagnosis").head(per_class).sort_values("image_id")
    overlaps = []
    for done, (path, mask_path) in enumerate(zip(chosen["path"], chosen["mask_path"], strict=True), 1):
        estimated = prepare_mask(segment(decode_file(path)), SIZE)
        overlaps.append(dice(estimated, prepare_mask(read_mask(mask_path), SIZE)))
        if on_progress is not None:
            on_progress(done, len(chosen))
    return chosen[["image_id", "lesion_id", "diagnosis"]].assign(dice=overlaps)


def mean_dice(overlaps: pd.DataFrame, frequencies: pd.Series) -> dict[str, Estimate]:
    """The mean Dice with its 95 % interval over lesions of every diagnosis, and "all": weighted as the data set is.

    `frequencies` is the number of cases by diagnosis.
    """
    means = {
        str(code): _means(group, seed) for seed, (code, group) in enumerate(overlaps.groupby("diagnosis", sort=True))
    }
    total = sum(frequencies[code] * values for code, values in means.items()) / frequencies[list(means)].sum()
    return {code: estimate(values) for code, values in {**means, "all": total}.items()}


def _means(group: pd.DataFrame, seed: int) -> NDArray[np.float64]:
    """The mean Dice of one diagnosis, whose cases were drawn by themselves and are resampled by themselves."""
    weights = lesion_weights(group["lesion_id"], seed=seed).astype(np.float64)
    means: NDArray[np.float64] = weights @ group["dice"].to_numpy(np.float64) / weights.sum(axis=1)
    return means

"""The explanation measures of an audit: what every chosen method costs and is worth on each case."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.agreement import agreement
from explain import explain
from explain.regions import superpixels
from model.prediction import Predictor

# One more whenever what the measures compute changes, so that older figures are known for what they are.
VERSION = 4


def measure_cases(
    predictor: Predictor,
    images: Sequence[NDArray[np.uint8]],
    cases: pd.DataFrame,
    predictions: pd.DataFrame,
    methods: Sequence[str],
    on_progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Explain the class that each case is called by every method, and measure the maps (`analysis.trust.measures`).

    `images` are prepared, uint8 (size, size, 3), in the order of `cases` and of `predictions`, which tells what is
    `predicted`. Columns: `<method>_<measure>`, and `<method>_milliseconds` and `<method>_evaluations` that the map
    itself took, once the image is divided into the superpixels that several methods share; `agreement_<one>_<other>`
    of every two methods (`analysis.agreement`); `mask_estimated`, 1 where the data set has no mask of the lesion and
    one was estimated.
    """
    for method in methods:
        _warm_up(predictor, images[0], method)
    rows = []
    for image, mask_path, predicted in zip(images, cases["mask_path"], predictions["predicted"], strict=True):
        rows.append(_measured(predictor, image, mask_path, predicted, methods))
        if on_progress is not None:
            on_progress(len(rows))
    return pd.DataFrame(rows)


def _warm_up(predictor: Predictor, image: NDArray[np.uint8], method: str) -> None:
    """Have a method's first batch compiled, which takes seconds and is no part of what a map takes."""
    explain(image, predictor, method, predictor.bundle.card.classes[0], should_stop=lambda: True)


def _measured(
    predictor: Predictor, image: NDArray[np.uint8], mask_path: object, predicted: str, methods: Sequence[str]
) -> dict[str, float]:
    from analysis.trust import measures
    from model.masks import prepare_mask, read_mask
    from model.segmentation import segment

    mask = prepare_mask(read_mask(mask_path), len(image)) if isinstance(mask_path, str) else segment(image)
    row = {"mask_estimated": float(not isinstance(mask_path, str))}
    superpixels(image)  # remembered: else the first method that asks would pay for the others
    maps = {method: explain(image, predictor, method, predicted) for method in methods}
    for method, attribution in maps.items():
        found = measures(attribution, image, predictor, mask)
        found |= {"milliseconds": 1000 * attribution.seconds, "evaluations": float(attribution.evaluations)}
        row |= {f"{method}_{measure}": value for measure, value in found.items()}
    agreed = agreement(maps, image).to_numpy(np.float64)
    pairs = combinations(enumerate(methods), 2)
    return row | {agreement_column(one, other): float(agreed[i, j]) for (i, one), (j, other) in pairs}


def agreement_column(one: str, other: str) -> str:
    """The column of an audit that holds the agreement of two methods, in the order of the audit's list of methods."""
    return f"agreement_{one}_{other}"

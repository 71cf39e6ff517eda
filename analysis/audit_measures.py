"""The explanation measures of an audit: what every chosen method costs and is worth on each case."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from explain import explain
from model.prediction import Predictor


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
    itself took; `mask_estimated`, 1 where the data set has no mask of the lesion and one was estimated.
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
    for method in methods:
        attribution = explain(image, predictor, method, predicted)
        found = measures(attribution, image, predictor, mask)
        found |= {"milliseconds": 1000 * attribution.seconds, "evaluations": float(attribution.evaluations)}
        row |= {f"{method}_{measure}": value for measure, value in found.items()}
    return row

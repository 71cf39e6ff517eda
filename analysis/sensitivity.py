"""Sensitivity at a fixed specificity, in every resample of a bootstrap at once."""

import numpy as np
from numpy.typing import NDArray

from analysis.shares import share


def weighted_sensitivity(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float32], specificity: float
) -> NDArray[np.float64]:
    """The largest sensitivity of a threshold on `scores` (cases,) whose specificity is at least `specificity`.

    It is the highest point of the ROC curve up to a false alarm rate of 1 - `specificity`, without interpolation,
    float64 (resamples,) by `weights` (resamples, cases). The threshold is found on these very cases, anew in each
    resample: the figure describes the curve, and no threshold is claimed for use. NaN where a resample has no positive
    or no negative.
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf) < 0)
    ordered, is_positive = weights[:, order].astype(np.float64), positive[order]
    found = np.cumsum(np.add.reduceat(ordered * is_positive, starts, axis=1), axis=1)
    alarms = np.cumsum(np.add.reduceat(ordered * ~is_positive, starts, axis=1), axis=1)
    # Weights are whole numbers, so that a rate of exactly 1 - specificity is met in spite of rounding.
    allowed = alarms <= (1 - specificity) * alarms[:, -1:] + 1e-9
    best = np.where(allowed, found, 0).max(axis=1)
    return np.where(alarms[:, -1] > 0, share(best, found[:, -1]), np.nan)

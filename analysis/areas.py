"""Areas under curves in every resample of a bootstrap at once, equal to scikit-learn's with sample weights.

Weights are whole numbers, so that their sums are exact in float32 up to 8 million cases.
"""

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.shares import share


def weighted_auc(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Area under the ROC curve in every resample, float64 (resamples,): `weights` (resamples, cases).

    The weighted share of (positive, negative) couples that the scores (cases,) order rightly, ties counting half
    (Hanley and McNeil 1982); NaN where a resample has no positive or no negative.
    """
    found = scores[positive]
    below, at_most = _accumulated(scores, weights, found, "left", "right")
    positives = weights[:, positive].T
    total = positives.sum(axis=0, dtype=np.float64)
    # Over positives below, ties halved, the sum is always half the square of their weight.
    won = (np.einsum("ij,ij->j", positives, below + at_most, dtype=np.float64) - total**2) / 2
    return share(won, total * (weights.sum(axis=1, dtype=np.float64) - total))


def weighted_average_precision(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Average precision in every resample, float64 (resamples,): `weights` (resamples, cases).

    The mean, over positives, of the precision among all cases that score at least as high; NaN without a positive.
    """
    positives, found = weights[:, positive], scores[positive]
    (right,) = _accumulated(-found, positives, -found, "right")
    (called,) = _accumulated(-scores, weights, -found, "right")
    precision = np.divide(right, called, out=np.zeros(called.shape), where=called > 0, dtype=np.float64)
    return share(np.einsum("ji,ij->j", positives, precision), positives.sum(axis=1, dtype=np.float64))


def _accumulated(
    scores: NDArray[np.float64],
    weights: NDArray[np.float32],
    at: NDArray[np.float64],
    *sides: Literal["left", "right"],
) -> list[NDArray[np.float32]]:
    """The weight of the cases that score lower than each of `at` ("left") or no higher ("right"), (at, resamples)."""
    order = np.argsort(scores, kind="stable")
    sums = np.concatenate([np.zeros((1, len(weights)), np.float32), weights.T[order]])
    # Row by row: np.cumsum along the first axis is four times slower.
    for before, row in pairwise(sums):
        np.add(before, row, out=row)
    return [sums[np.searchsorted(scores[order], at, side)] for side in sides]

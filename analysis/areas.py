"""Areas under curves in every resample of a bootstrap at once, equal to scikit-learn's with sample weights."""

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
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf) > 0)
    ordered, is_positive = weights[:, order].astype(np.float64), positive[order]
    positives = np.add.reduceat(ordered * is_positive, starts, axis=1)
    negatives = np.add.reduceat(ordered * ~is_positive, starts, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2
    couples = positives.sum(axis=1) * negatives.sum(axis=1)
    won = np.einsum("ij,ij->i", positives, below)
    return share(won, couples)


def weighted_average_precision(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Average precision in every resample, float64 (resamples,): `weights` (resamples, cases).

    The mean, over positives, of the precision among all cases that score at least as high; NaN without a positive.
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf) < 0)
    ordered = weights[:, order].astype(np.float64)
    positives = np.add.reduceat(ordered * positive[order], starts, axis=1)
    called = np.cumsum(np.add.reduceat(ordered, starts, axis=1), axis=1)
    precision = np.divide(np.cumsum(positives, axis=1), called, out=np.zeros_like(called), where=called > 0)
    return share(np.einsum("ij,ij->i", positives, precision), positives.sum(axis=1))

"""Intervals by the bootstrap over lesions: images of one lesion are not independent, so they are drawn together."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A figure of merit on all cases, with the ends of its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


def lesion_weights(lesions: Iterable[str], resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.float32]:
    """How often each case counts in each resample, float32 (1 + resamples, cases).

    Row 0 is the sample itself (all ones). Every further row draws as many lesions as there are, with replacement, and
    takes all images of a lesion as often as the lesion was drawn: the cluster bootstrap (Field and Welsh 2007).
    """
    codes, distinct = pd.factorize(pd.Series(list(lesions)))
    count = len(distinct)
    draws = np.random.default_rng(seed).integers(0, count, (resamples, count))
    multiplicities = [np.ones(count), *(np.bincount(draw, minlength=count) for draw in draws)]
    by_lesion = np.array(multiplicities, np.float32).T.copy()
    # In memory a case's weights lie side by side: what adds up or picks cases reads them in one go.
    return by_lesion[codes].T


def estimate(values: NDArray[np.float64]) -> Estimate:
    """A statistic's percentile interval (Efron 1979) from its values (1 + resamples,), the first on all cases.

    Resamples where the statistic is not defined (NaN) are left out.
    """
    defined = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(defined):
        return Estimate(float(values[0]), float("nan"), float("nan"))
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    if np.isfinite(defined).all():
        low, high = np.quantile(defined, ends)
    else:  # between two infinite values there is nothing to interpolate
        low, high = np.quantile(defined, ends, method="inverted_cdf")
    return Estimate(float(values[0]), float(low), float(high))

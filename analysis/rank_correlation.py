"""How far two maps agree on which places count for more (Spearman 1904, doi:10.2307/1412159)."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float:
    """The Spearman correlation of two maps of the same shape, in [-1, 1]; ties have their mean rank.

    Two constant maps agree (1); a constant map and another have nothing in common (0).
    """
    first, second = (rankdata(np.ravel(values)) for values in (one, other))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float(np.ptp(first) == np.ptp(second))
    return float(np.corrcoef(first, second)[0, 1])

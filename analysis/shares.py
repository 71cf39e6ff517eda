"""Shares of a whole that may be nothing."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def share(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """`part` / `whole` as float64, broadcast; NaN where `whole` is 0, because a share of nothing is not zero."""
    parts, wholes = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    shares = np.full(parts.shape, np.nan)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares

"""Does a map lie on the lesion? Four measures of its positive part against a lesion mask.

The positive part is what speaks for the target, as in every published use of these measures.
"""

import numpy as np
from numpy.typing import NDArray

from analysis.shares import share

BORDER = 0.1


def localisation(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> dict[str, float]:
    """All measures of a map, float32 (height, width), against a mask of the same shape, True in the lesion.

    `lesion_share` is the lesion's share of the image: what `inside_mask` and `pointing` are for a map that is the same
    everywhere. NaN where a measure is not defined: nothing is positive, or there is no lesion, or nothing else. The
    ratio of background to lesion is infinite where all that is positive lies outside.
    """
    return {
        "inside_mask": inside_mask(values, mask),
        "pointing": pointing(values, mask),
        "background_to_lesion": background_to_lesion(values, mask),
        "border_share": border_share(values),
        "lesion_share": float(mask.mean()),
    }


def inside_mask(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The share of the positive attribution that lies in the lesion, in [0, 1]."""
    positive = _positive(values)
    return float(share(positive[mask].sum(), positive.sum()))


def pointing(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The pointing game (Zhang et al. 2018, doi:10.1007/s11263-017-1059-x): 1 where the largest value is in the lesion.

    Where several places share the largest value, as in maps of regions, the share of them that lies in the lesion: what
    choosing one of them at random would score. There is no tolerance, where the paper has 15 pixels, since a mask
    follows the lesion's border and not a box.
    """
    if values.max() <= 0:
        return float("nan")
    return float(mask[values == values.max()].mean())


def background_to_lesion(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The mean positive attribution of a pixel outside the lesion over that of one inside, in [0, ∞].

    Tschandl et al. 2020 (doi:10.1038/s41591-020-0942-0, Extended Data Fig. 1) found 0.48 for akiec and 0.32 for the
    other classes with the Grad-CAM of a ResNet-34.
    """
    if mask.all() or not mask.any():
        return float("nan")
    positive = _positive(values)
    outside, inside = positive[~mask].mean(), positive[mask].mean()
    return float("inf") if outside > 0 == inside else float(share(outside, inside))


def border_share(values: NDArray[np.float32]) -> float:
    """The share of the positive attribution in the image's outer border, in [0, 1].

    The border is a tenth of the side wide on every side; it holds 0.36 of the pixels.
    """
    positive = _positive(values)
    rows, columns = (round(side * BORDER) for side in values.shape)
    inner = positive[rows : values.shape[0] - rows, columns : values.shape[1] - columns]
    return float(share(positive.sum() - inner.sum(), positive.sum()))


def _positive(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.maximum(values, 0).astype(np.float64)

"""Dark corners: the black round edge of a dermatoscope's field of view (vignette)."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

BLACK = 25
PRESENT = 0.005


def dark_corners(lab: NDArray[np.float32]) -> float:
    """The share of the image that is nearly black (lightness below 25) and joined to one of its corners.

    `lab` is CIELAB, float32 (height, width, 3). A black lesion is not counted unless it reaches a corner.
    """
    regions, _ = label(lab[..., 0] < BLACK)
    corners = {int(regions[row, column]) for row in (0, -1) for column in (0, -1)} - {0}
    return float(np.isin(regions, list(corners)).mean())

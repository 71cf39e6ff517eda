"""Dark corners: the black round edge of a dermatoscope's field of view (vignette)."""

import numpy as np
from numpy.typing import NDArray

from model.dark_corners import joined_to_corner

BLACK = 25
PRESENT = 0.005


def dark_corners(lab: NDArray[np.float32]) -> float:
    """The share of the image that is nearly black (lightness below 25) and joined to one of its corners.

    `lab` is CIELAB, float32 (height, width, 3). A black lesion is not counted unless it reaches a corner.
    """
    return float(joined_to_corner(lab[..., 0] < BLACK).mean())

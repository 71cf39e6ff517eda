"""The dark corners of a round field of view (vignette)."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label


def joined_to_corner(dark: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The dark pixels that are connected to one of the image's corners; both bool (height, width)."""
    areas, _ = label(dark)
    corners = {int(area) for area in areas[[0, 0, -1, -1], [0, -1, 0, -1]]} - {0}
    return np.isin(areas, list(corners))

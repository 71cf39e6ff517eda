"""What stands in for a hidden part of an image."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter


def blurred(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image, uint8 (size, size, 3), under a box blur of 4/7 of its side: skin tone and lighting without structure.

    It is the `blur(128,128)` on 224 px of shap's own examples, computed with scipy so that OpenCV is not needed. A
    constant colour would add edges that no skin has, and black would be a finding of its own.
    """
    width = blur_width(image.shape[0])
    smooth: NDArray[np.float32] = uniform_filter(image.astype(np.float32), size=(width, width, 0), mode="mirror")
    return np.rint(smooth).clip(0, 255).astype(np.uint8)


def blur_width(size: int) -> int:
    """The side of the blur's box in pixels, for an image of `size` pixels."""
    return round(size * 4 / 7)

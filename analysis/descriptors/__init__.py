"""Image quality: what an image shows beside skin and lesion, each as a number that grows with it.

Every descriptor is a plain function of its own file, with the value from which it counts as present (`PRESENT`). How
often that is right was checked by eye on 100 images: `analysis/descriptors/checked.py`.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis.descriptors import colour_patches, dark_corners, hair, ink, ruler

# The detectors' lengths are in pixels of an image whose long side has so many.
LONG_SIDE = 300
DESCRIPTORS = {
    "dark_corners": dark_corners.dark_corners,
    "hair": hair.hair,
    "ruler": ruler.ruler,
    "colour_patches": colour_patches.colour_patches,
    "ink": ink.ink,
}
PRESENT = {
    "dark_corners": dark_corners.PRESENT,
    "hair": hair.PRESENT,
    "ruler": ruler.PRESENT,
    "colour_patches": colour_patches.PRESENT,
    "ink": ink.PRESENT,
}


def image_quality(image: NDArray[np.uint8]) -> dict[str, float]:
    """Every descriptor of an RGB image of any size, uint8 (height, width, 3), by its name in DESCRIPTORS."""
    lab = _lab(image)
    return {name: describe(lab) for name, describe in DESCRIPTORS.items()}


def _lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The image at LONG_SIDE in CIELAB, float32 (height, width, 3): lightness in [0, 100], a*, b*."""
    from skimage.color import rgb2lab

    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))
    lab: NDArray[np.float32] = rgb2lab(small.astype(np.float32) / 255)
    return lab

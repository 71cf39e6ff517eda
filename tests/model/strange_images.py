"""Images that are no dermatoscopy: photographs that scikit-image ships, crops of them, noise, and drawn ones."""

from functools import cache

import numpy as np
import skimage.data
from numpy.typing import NDArray
from skimage.color import gray2rgb
from skimage.util import img_as_ubyte

Image = NDArray[np.uint8]
PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "chelsea", "clock", "coffee", "coins"),
    *("grass", "gravel", "hubble_deep_field", "moon", "rocket"),
)


@cache
def photographs() -> list[Image]:
    """Fourteen photographs."""
    left, right, _ = skimage.data.stereo_motorcycle()
    return [rgb(image) for image in (*(getattr(skimage.data, name)() for name in PHOTOGRAPHS), left, right)]


@cache
def crops(each: int) -> list[Image]:
    """Random crops of the photographs, from half of the sides to all, `each` of every one."""
    random = np.random.default_rng(0)
    cut = []
    for image in photographs():
        for share in random.uniform(0.5, 1, each):
            height, width = (int(share * side) for side in image.shape[:2])
            top = random.integers(0, image.shape[0] - height + 1)
            left = random.integers(0, image.shape[1] - width + 1)
            cut.append(np.ascontiguousarray(image[top : top + height, left : left + width]))
    return cut


@cache
def noise(count: int) -> list[Image]:
    """Uniform noise in four sizes."""
    random = np.random.default_rng(0)
    sides = ((450, 600), (192, 192), (64, 64), (1024, 1024))
    return [random.integers(0, 256, (*sides[index % 4], 3), np.uint8) for index in range(count)]


def others() -> list[Image]:
    """Plain skin colours, black and white, print, and medical pictures of other kinds."""
    plain = [np.full((450, 600, 3), colour, np.uint8) for colour in ((224, 172, 150), (110, 70, 50), 0, 255)]
    names = ("text", "page", "immunohistochemistry", "retina", "cell", "colorwheel")
    return [*plain, *(rgb(getattr(skimage.data, name)()) for name in names)]


def rgb(image: NDArray[np.generic]) -> Image:
    """Any of scikit-image's pictures as uint8 RGB."""
    byte = img_as_ubyte(image)
    return gray2rgb(byte) if byte.ndim == 2 else byte[..., :3]

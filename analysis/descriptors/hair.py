"""Hair, by a black top-hat on lightness."""

import numpy as np
from numpy.typing import NDArray

from analysis.descriptors.thin_structures import black_top_hat, thin_structures

WIDTH = 9
DARKER = 10
LENGTH = 35
BREADTH = 5
PRESENT = 0.004


def hair(lab: NDArray[np.float32]) -> float:
    """The share of the image under long thin dark structures.

    `lab` is CIELAB, float32 (height, width, 3), the long side 300 pixels. Counted is what is at least 10 darker in
    lightness than its surroundings, under 9 pixels wide, at least 35 long, and of a mean breadth (area by length) under
    5: pigment network has shorter meshes, and the marks of a ruler are shorter too. White and very fine hairs are
    missed.
    """
    found = thin_structures(black_top_hat(lab[..., 0], WIDTH) > DARKER)
    hairs = (found.length >= LENGTH) & (found.area < BREADTH * found.length)
    return float(found.area[hairs].sum() / lab[..., 0].size)

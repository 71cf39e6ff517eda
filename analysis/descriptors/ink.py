"""Ink: the strokes of a surgical skin marker (gentian violet), blue to violet."""

import numpy as np
from numpy.typing import NDArray

from analysis.descriptors.thin_structures import black_top_hat

WIDTH = 13
BLUE = -20
BLUER = 15
DARKER = 10
HUE_BEFORE_LIGHT = 0.4
BLACK = 15
PRESENT = 0.0015


def ink(lab: NDArray[np.float32]) -> float:
    """The share of the image under strokes that are bluer and darker than what is around them.

    `lab` is CIELAB, float32 (height, width, 3), the long side 300 pixels. Counted is what is strongly blue
    (b* under -20) and not black, under 13 pixels wide, with b* at least 15 and lightness 10 below those around it; and
    whose dip in b* is at least 0.4 of that in lightness, which it is not along hairs. Blue lesions are broader, and
    where the white balance is violet it is so everywhere. Strokes that have faded to grey are missed.
    """
    lightness, b = lab[..., 0], lab[..., 2]
    darker, bluer = black_top_hat(lightness, WIDTH), black_top_hat(b, WIDTH)
    stroke = (bluer > BLUER) & (darker > DARKER) & (bluer > HUE_BEFORE_LIGHT * darker)
    return float((stroke & (b < BLUE) & (lightness > BLACK)).mean())

"""Colour patches: stickers for colour calibration, and other things of a colour that skin does not have."""

import numpy as np
from numpy.typing import NDArray

CHROMA = 25
# Hue angles in CIELAB, degrees: yellow-green to blue. Skin, blood and pigment lie between 0 and 90, violet ink above.
HUES = (95, 270)
PRESENT = 0.002


def colour_patches(lab: NDArray[np.float32]) -> float:
    """The share of the image that is green to blue, strongly so (chroma 25 or more).

    `lab` is CIELAB, float32 (height, width, 3).
    """
    a, b = lab[..., 1], lab[..., 2]
    hue = np.degrees(np.arctan2(b, a)) % 360
    return float(((np.hypot(a, b) >= CHROMA) & (hue > HUES[0]) & (hue < HUES[1])).mean())

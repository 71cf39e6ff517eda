"""Ruler marks: the scale in a dermatoscope's field of view."""

import numpy as np
from numpy.typing import NDArray

from analysis.descriptors.thin_structures import ThinStructures, black_top_hat, thin_structures

WIDTH = 5
DARKER = 4
LENGTHS = (4, 30)
BREADTH = 4
SLANT = 0.25
IN_LINE = 4
GAPS = (3, 25)
UNEVEN = 0.2
PRESENT = 6


def ruler(lab: NDArray[np.float32]) -> float:
    """How many marks in a row are parallel, side by side and evenly spaced: the most that the image has.

    `lab` is CIELAB, float32 (height, width, 3), the long side 300 pixels. A mark is a dark line of 4 to 30 pixels. In a
    row are those whose orientation differs by under 0.25 radians from one's, whose centres lie within 4 pixels of the
    line through its centre across it, and whose gaps, of 3 to 25 pixels, are within a fifth of their median. Fewer than
    PRESENT are no ruler and are not counted: 0 or 1.
    """
    marks = _marks(thin_structures(black_top_hat(lab[..., 0], WIDTH) > DARKER))
    return float(max((_run(_places(marks, index)) for index in range(len(marks.x))), default=0))


def _marks(found: ThinStructures) -> ThinStructures:
    chosen = (
        (found.length >= LENGTHS[0])
        & (found.length <= LENGTHS[1])
        & (found.breadth < BREADTH)
        & (found.breadth < found.length / 2)
    )
    return ThinStructures(*(values[chosen] for values in vars(found).values()))


def _places(marks: ThinStructures, index: int) -> NDArray[np.float64]:
    """Where the marks that stand beside mark `index` lie on the line across it, in order."""
    sine, cosine = np.sin(marks.orientation[index]), np.cos(marks.orientation[index])
    down, right = marks.y - marks.y[index], marks.x - marks.x[index]
    turned = np.abs((marks.orientation - marks.orientation[index] + np.pi / 2) % np.pi - np.pi / 2)
    beside = (np.abs(down * cosine + right * sine) < IN_LINE) & (turned < SLANT)
    return np.sort((right * cosine - down * sine)[beside])


def _run(places: NDArray[np.float64]) -> int:
    """The largest number of places one after the other with even gaps."""
    gaps = np.diff(places)
    gaps = gaps[gaps >= GAPS[0]]
    if len(gaps) < PRESENT - 1:
        return min(len(gaps), 1)
    middle = np.median(gaps)
    if middle > GAPS[1]:
        return 1
    even = np.concatenate([[False], np.abs(gaps - middle) <= max(UNEVEN * middle, 1), [False]])
    return 1 + int(np.diff(np.flatnonzero(~even)).max() - 1)

"""The halves, quarters, … of an image down to its cells, and how far their values may still lie from Owen's.

Owen values share out what a rectangle adds to the score between its halves, without and with the other half shown, and
so on down to the cells. A walk that stops early shares out evenly what it has not divided. What is then unknown is a
sum of Haar wavelets: how much more than the other each undivided rectangle's first half would have been given.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

CELLS = 16
RECTANGLES = 2 * CELLS**2 - 1
DIVISIBLE = CELLS**2 - 1  # the first rectangles; those after them are the cells
LEVELS = DIVISIBLE.bit_length()
MOSTLY = 0.5
CREDULITY = 0.9  # no more of the halves' squared values is believed to be uneven, of however few divisions

Rectangle = tuple[slice, slice]


def halves(number: int) -> tuple[int, int]:
    """The numbers of a rectangle's halves; 0 is the image, and its halves' halves follow them."""
    return 2 * number + 1, 2 * number + 2


def _rectangles() -> tuple[Rectangle, ...]:
    """All rectangles by number, as shap's image masker divides: the longer side in the middle, rows before columns."""
    found = [(slice(0, CELLS), slice(0, CELLS))]
    for number in range(DIVISIBLE):
        rows, columns = found[number]
        row, column = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
        if rows.stop - rows.start >= columns.stop - columns.start:
            found += [(slice(rows.start, row), columns), (slice(row, rows.stop), columns)]
        else:
            found += [(rows, slice(columns.start, column)), (rows, slice(column, columns.stop))]
    return tuple(found)


def _wavelets() -> NDArray[np.float64]:
    """Of each divisible rectangle, 1 spread evenly over its first half less 1 over its second, (DIVISIBLE, cells)."""
    wavelets = np.zeros((DIVISIBLE, CELLS, CELLS))
    for number, wavelet in enumerate(wavelets):
        for half, sign in zip(halves(number), (1, -1), strict=True):
            wavelet[RECTANGLE[half]] = sign / wavelet[RECTANGLE[half]].size
    return wavelets.reshape(DIVISIBLE, -1)


RECTANGLE = _rectangles()
WAVELETS = _wavelets()
INSIDE = WAVELETS != 0


@dataclass(frozen=True, eq=False)
class Unevenness:
    """How unevenly halves have shared what their rectangle adds to the score, in the divisions so far.

    Of every divisible rectangle: `share`, in how large a share of its contexts it has been divided, and `difference`,
    how much more its first half was given there.
    """

    share: NDArray[np.float64] = field(default_factory=lambda: np.zeros(DIVISIBLE))
    difference: NDArray[np.float64] = field(default_factory=lambda: np.zeros(DIVISIBLE))

    def add(self, number: int, share: float, difference: float) -> None:
        """Take into account that the first half of `number` was given `difference` in contexts of this `share`."""
        self.share[number] += share
        self.difference[number] += share * difference

    def deviations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much each wavelet may add to the cells' `values`: one standard deviation, float64 (DIVISIBLE, cells).

        Where a rectangle has not been divided, its halves are taken to be as uneven as those of its level are, root
        mean square. A level that is mostly undivided says little of that, since what is most uneven is divided first:
        there, halves share as unevenly as on the levels above, on average.
        """
        uneven = (np.divide(self.difference, self.share, out=np.zeros(DIVISIBLE), where=self.share > 0) / 2) ** 2
        even = (INSIDE @ values.ravel() / 2) ** 2
        shares: list[float] = []
        sizes = np.zeros(DIVISIBLE)
        size = 0.0
        for level in range(LEVELS):
            rectangles = slice(2**level - 1, 2 ** (level + 1) - 1)
            seen = self.share[rectangles]
            if seen.mean() >= MOSTLY:
                squares, others = (np.average(each[rectangles], weights=seen) for each in (uneven, even))
                shares += [squares / (squares + others)] if squares + others > 0 else []
                size = np.sqrt(squares)
            else:
                size *= 0.5 / np.sqrt(1 - min(float(np.mean(shares)), CREDULITY)) if shares else 0.0
            sizes[rectangles] = size
        deviations: NDArray[np.float64] = ((1 - self.share) * sizes)[:, np.newaxis] * WAVELETS
        return deviations

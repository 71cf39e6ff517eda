"""The halves, quarters, … of an image down to its cells, and how far their values may still lie from Owen's.

Owen values share out what a rectangle adds to the score between its halves, without and with the other half shown, and
so on down to the cells. A walk that stops early shares out evenly what it has not divided. What is then unknown is a
sum of Haar wavelets: half of how much more than the other each undivided rectangle's first half would have been given.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

CELLS = 16
RECTANGLES = 2 * CELLS**2 - 1
DIVISIBLE = CELLS**2 - 1  # the first rectangles; those after them are the cells
LEVELS = DIVISIBLE.bit_length()
SEEN_ENOUGH = 0.5  # of a level's divisions, to tell how uneven the others are
MOST_UNEVEN = 0.9  # of a rectangle's squared credit: few divisions may look as if there were nothing else

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
INSIDE = (WAVELETS != 0).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Unevenness:
    """How unevenly halves have shared what their rectangle adds to the score, in the divisions so far.

    Of every divisible rectangle: `share`, in how large a share of its contexts it has been divided, and `difference`,
    how much more its first half was given there, times that share.
    """

    share: NDArray[np.float64] = field(default_factory=lambda: np.zeros(DIVISIBLE))
    difference: NDArray[np.float64] = field(default_factory=lambda: np.zeros(DIVISIBLE))

    def add(self, number: int, share: float, difference: float) -> None:
        """Take into account that the first half of `number` was given `difference` in contexts of this `share`."""
        self.share[number] += share
        self.difference[number] += share * difference

    def deviations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much each wavelet may add to the cells' `values`: one standard deviation, float64 (DIVISIBLE, cells).

        Where a rectangle is not divided its halves are taken to be as uneven as they are elsewhere: in the contexts in
        which it is, as far as they go, and beyond those in all of its level, root mean square. A level that is mostly
        undivided says too little of that, since what counts for most is divided first: it is taken to share its credit
        as unevenly as the levels above, on average.
        """
        mean = np.divide(self.difference, self.share, out=np.zeros(DIVISIBLE), where=self.share > 0)
        own, even = (mean / 2) ** 2, (INSIDE @ values.ravel() / 2) ** 2
        of_level = np.zeros(DIVISIBLE)
        uneven_shares: list[float] = []
        uneven_square = even_square = 0.0
        for level in range(LEVELS):
            rectangles = slice(2**level - 1, 2 ** (level + 1) - 1)
            seen = self.share[rectangles]
            if seen.mean() >= SEEN_ENOUGH:
                uneven_square = float(np.average(own[rectangles], weights=seen))
                even_square = float(np.average(even[rectangles], weights=seen))
                if uneven_square + even_square > 0:
                    uneven_shares.append(uneven_square / (uneven_square + even_square))
            elif uneven_shares:
                share = min(float(np.mean(uneven_shares)), MOST_UNEVEN)
                even_square = (uneven_square + even_square) / 4
                uneven_square = even_square * share / (1 - share)
            of_level[rectangles] = uneven_square
        sizes = np.sqrt(self.share * own + (1 - self.share) * of_level)
        deviations: NDArray[np.float64] = ((1 - self.share) * sizes)[:, np.newaxis] * WAVELETS
        return deviations

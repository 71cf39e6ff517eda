"""Owen values by their definition: every rectangle divided in every context, which takes 43,692 evaluations."""

import numpy as np
from numpy.typing import NDArray

from explain.halving import CELLS, DIVISIBLE, LEVELS, RECTANGLE, RECTANGLES
from explain.owen import Scores

MASKS = np.zeros((RECTANGLES, CELLS, CELLS), bool)
for number, rectangle in enumerate(RECTANGLE):
    MASKS[number][rectangle] = True
MASKS = MASKS.reshape(RECTANGLES, -1)


def exact_owen_values(score: Scores) -> NDArray[np.float64]:
    """The values of all cells, float64 (CELLS²,); `score` as `explain.owen.owen_walk` takes it."""
    numbers, shown = np.zeros(1, int), np.zeros((1, CELLS**2), bool)
    without, with_it = np.split(score(np.stack([shown[0], ~shown[0]])), 2)
    for _ in range(LEVELS):
        first, second = 2 * numbers + 1, 2 * numbers + 2
        beside_first, beside_second = shown | MASKS[first], shown | MASKS[second]
        of_first, of_second = score(beside_first), score(beside_second)
        numbers = np.concatenate([first, second, first, second])
        shown = np.concatenate([shown, shown, beside_second, beside_first])
        without = np.concatenate([without, without, of_second, of_first])
        with_it = np.concatenate([of_first, of_second, with_it, with_it])
    places = np.array([MASKS[number].argmax() for number in range(DIVISIBLE, RECTANGLES)])
    return np.bincount(places[numbers - DIVISIBLE], with_it - without) / 2**LEVELS

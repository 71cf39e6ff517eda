"""What an explanation method is: a name, a budget, and an iterator of ever better estimates of its map."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.attribution import Target
from model.prediction import Predictor

BATCH = 16  # images a time: within 5 % of the throughput of larger batches, and twice as many chances to show and stop


@dataclass(frozen=True, eq=False)
class Estimate:
    """The map after `evaluations` images went through the network: float32 (height, width), signed, unscaled."""

    values: NDArray[np.float32]
    evaluations: int
    parameters: Mapping[str, object]


@dataclass(frozen=True)
class Method:
    """An explanation method as `explain` runs it.

    `estimates` takes the prepared image, uint8 (size, size, 3), the predictor, the target and the seed, and yields an
    estimate at least every few batches; the last one, after `evaluations` images, is the result.
    """

    name: str
    evaluations: int
    estimates: Callable[[NDArray[np.uint8], Predictor, Target, int], Iterator[Estimate]]

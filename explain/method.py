"""What an explanation method is: a name, a budget, and an iterator of ever better estimates of its map."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from explain.attribution import Target
from model.prediction import Predictor

BATCH = 8  # images a time: what a core's cache holds; larger batches are slower, and show and stop less often


@dataclass(frozen=True, eq=False)
class Question:
    """What a method is asked: why `predictor` gives `image`, prepared uint8 (size, size, 3), its score of `target`.

    `layer` names the layer whose feature map is weighed, for the methods that take one; None is the last one.
    """

    image: NDArray[np.uint8]
    predictor: Predictor
    target: Target
    seed: int = 0
    layer: str | None = None

    @property
    def weights(self) -> NDArray[np.float32]:
        """What each logit counts for in the score that is explained, float32 (classes,)."""
        return self.target.weights(self.predictor.bundle.card.classes)


@dataclass(frozen=True, eq=False)
class Estimate:
    """The map after `evaluations` images went through the network: float32 (height, width), signed, unscaled.

    `interval` is the half width of the 95 % interval of every value, of the same shape, or None where there is none.
    `settled` says whether more evaluations would not change the order of the regions any more, so that the method may
    end here; None where the method has no rule to tell. `total` is how many evaluations the last estimate will have
    taken, where it is the network that says so; None for as many as the method has.
    """

    values: NDArray[np.float32]
    evaluations: int
    parameters: Mapping[str, object] = field(default_factory=dict)
    interval: NDArray[np.float32] | None = None
    settled: bool | None = None
    total: int | None = None


@dataclass(frozen=True)
class Method:
    """An explanation method as `explain` runs it.

    `estimates` answers a question by estimates, at least one every few batches; the last one, after at most
    `evaluations` images, is the result. `unit` is that of the map's values, `sentence` says what they are to a person
    who has never heard of the method. A `smooth` map is a field to be interpolated, another one has regions; a `fine`
    one has a value of its own at every pixel, too noisy to be drawn as it is. With `layered` it can be asked for at
    other layers than the last feature map. `family` names the methods that it stands among in a list.
    A `control` knows nothing of the network: a method that is no better explains nothing. `library` is the same by the
    library that the method was taken from, where ours is another way to the same values.
    """

    name: str
    sentence: str
    unit: str
    evaluations: int
    estimates: Callable[[Question], Iterator[Estimate]]
    smooth: bool = False
    control: bool = False
    library: Callable[[Question], Iterator[Estimate]] | None = None
    family: str = "Regions"
    fine: bool = False
    layered: bool = False

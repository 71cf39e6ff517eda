"""The one result that every explanation method returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class ExplanationError(ValueError):
    """An explanation was asked for that cannot be given; the message says why and what can be asked."""


@dataclass(frozen=True)
class Target:
    """What is explained: the logit of `code`, or with `against` the difference logit(code) - logit(against)."""

    code: str
    against: str | None = None

    def __str__(self) -> str:
        """The target as people say it: "mel", or "mel rather than nv"."""
        return self.code if self.against is None else f"{self.code} rather than {self.against}"

    def weights(self, classes: tuple[str, ...]) -> NDArray[np.float32]:
        """What each class's logit counts for: 1 for `code`, -1 for `against`, else 0; float32 (classes,).

        Raises ExplanationError when the model does not know a class, or when a class is set against itself.
        """
        codes = [self.code] if self.against is None else [self.code, self.against]
        for code in codes:
            if code not in classes:
                raise ExplanationError(f"The model has no class {code!r}. Choose from {', '.join(classes)}.")
        if self.code == self.against:
            raise ExplanationError(f"A contrast needs two different classes, not {self.code} against itself.")
        weights = np.zeros(len(classes), np.float32)
        weights[[classes.index(code) for code in codes]] = [1, -1][: len(codes)]
        return weights


@dataclass(frozen=True, eq=False)
class Attribution:
    """A map of how much each place of an image speaks for the target (positive) or against it (negative).

    `values` is float32 (height, width) at the method's native resolution, signed, unscaled. `parameters` holds what
    the method was run with and what it found on the way (JSON-compatible values). `evaluations` counts images that
    went through the network, `seconds` is wall time. `converged` is None where the method has no notion of it and
    False for a partial or stopped result. `interval` is the half width of the 95 % interval of every value, of the
    same shape, or None where there is none.
    """

    values: NDArray[np.float32]
    method: str
    target: Target
    parameters: Mapping[str, object]
    seed: int
    evaluations: int
    seconds: float
    converged: bool | None = None
    interval: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a method has come: `done` of `total` evaluations, and the map as it stands (None before the first)."""

    done: int
    total: int
    partial: Attribution | None = None


ProgressCallback = Callable[[Progress], None]
StopSignal = Callable[[], bool]

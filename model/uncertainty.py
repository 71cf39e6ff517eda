"""How unsure a prediction is, and how much of that is disagreement between the members of an ensemble; all in nats."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr


@dataclass(frozen=True)
class Disagreement:
    """How far the members of an ensemble differ on one image.

    `mutual_information` (nats, from 0 to log of the number of members) is that of the class and the member;
    `calls` has the class that each member calls.
    """

    mutual_information: float
    calls: tuple[str, ...]

    def dissenters(self, predicted: str) -> int:
        """How many members call another class than `predicted`."""
        return sum(call != predicted for call in self.calls)


def entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The entropy in nats of probabilities (…, classes): 0 when certain, log(classes) when all are alike."""
    nats: NDArray[np.float64] = entr(probabilities).sum(axis=-1)
    return nats


def mutual_information(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy of the members' mean less the mean of their entropies, in nats; probabilities (members, …, classes).

    The part of the uncertainty that is the members' disagreement: 0 where they say the same, however unsure
    (Houlsby et al. 2011, arXiv:1112.5745; Depeweg et al. 2018, arXiv:1710.07283).
    """
    information = entropy(probabilities.mean(axis=0)) - entropy(probabilities).mean(axis=0)
    nats: NDArray[np.float64] = np.maximum(information, 0.0)  # rounding
    return nats

"""Grad-CAM++ (Chattopadhay et al. 2018, doi:10.1109/WACV.2018.00097), without the final ReLU."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from explain.feature_gradient import feature_gradient
from explain.method import Estimate, Question

Array = NDArray[np.float32]


def grad_cam_plus_plus(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by Grad-CAM++ at a layer, the last feature map unless one is asked for.

    A channel counts for the positive part of its gradient, averaged over the positions by their alphas: only what
    raises the score is shown, so that the map is negative only where features are. The published factor exp(score),
    the same for every place, is left out. One evaluation; from the linear head alone where the network has one.
    """
    given = feature_gradient(question)
    yield Estimate(weighed(given.features, given.gradient), evaluations=1, parameters=given.parameters)


def weighed(features: NDArray[np.floating], gradient: NDArray[np.floating]) -> Array:
    """The map, float32 (height, width), of features and gradient (height, width, channels).

    The alphas of a channel are made to add up to 1, as in the authors' code and in tf-keras-vis, not in the paper.
    Worked out in float64: an alpha has a pole where the gradient times the channel's sum is -2, and near it the
    rounding of float32 sums shows in the map.
    """
    features, gradient = features.astype(np.float64), gradient.astype(np.float64)
    squares = gradient**2
    denominator = 2 * squares + squares * gradient * features.sum(axis=(0, 1))
    alphas = np.divide(squares, denominator, out=np.zeros_like(features), where=(squares != 0) & (denominator != 0))
    sums = alphas.sum(axis=(0, 1))
    alphas = np.divide(alphas, sums, out=np.zeros_like(features), where=sums != 0)
    by_channel = (np.maximum(gradient, 0) * alphas).sum(axis=(0, 1))
    values: Array = (features @ by_channel).astype(np.float32)
    return values

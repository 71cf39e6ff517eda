"""What the class activation maps are made of: a layer's feature map, and the gradient of the score by it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.gradients import layer_gradient
from explain.method import Question
from model.dense_head import FEATURES

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FeatureGradient:
    """`features` of a layer and `gradient` of the score with respect to them, float32 (height, width, channels)."""

    features: Array
    gradient: Array
    parameters: dict[str, object]


def feature_gradient(question: Question) -> FeatureGradient:
    """Both at the question's layer, in one evaluation; by TensorFlow but for the last map under a linear head.

    There every position has the same gradient: that of the global average times the head's kernel.
    """
    layer, bundle = question.layer or FEATURES, question.predictor.bundle
    if layer == FEATURES and bundle.head is not None:
        features = question.predictor.run(question.image[np.newaxis]).features[0]
        by_channel = bundle.head.kernel @ question.weights / (features.shape[0] * features.shape[1])
        gradient = np.broadcast_to(by_channel, features.shape)
        return FeatureGradient(features, gradient, {"layer": layer, "computed_by": "linear head"})
    features, gradient = layer_gradient(bundle, layer, question.image, question.weights)
    return FeatureGradient(features, gradient, {"layer": layer, "computed_by": "TensorFlow gradients"})

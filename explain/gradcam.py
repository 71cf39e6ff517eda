"""Grad-CAM (Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74), signed: without the final ReLU."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explain.attribution import ExplanationError, Target
from explain.method import Estimate
from model.bundle import LinearHead
from model.prediction import Outputs, Predictor

FEATURE_LAYER = "features"


def grad_cam(image: NDArray[np.uint8], predictor: Predictor, target: Target, seed: int) -> Iterator[Estimate]:
    """Explain one prepared image by Grad-CAM at the last feature map, in one forward pass; `seed` is not used.

    Where the network ends in global average pooling and one dense layer, the map is a product of the serving graph's
    last feature map with that layer's weights; elsewhere TensorFlow differentiates the Keras model.
    """
    bundle = predictor.bundle
    weights = target.weights(bundle.card.classes)
    if bundle.head is None:
        values, computed_by = gradient_map(bundle.keras_path, image, weights), "TensorFlow gradients"
    else:
        maps = class_maps(predictor.run(image[np.newaxis]), bundle.head)[0]
        values, computed_by = np.tensordot(weights, maps, axes=1), "linear head"
    yield Estimate(values, evaluations=1, parameters={"computed_by": computed_by})


def class_maps(outputs: Outputs, head: LinearHead) -> NDArray[np.float32]:
    """The signed Grad-CAM maps of every class for n images, float32 (n, classes, height, width).

    With logit = mean over positions of features @ kernel + bias, the gradient's global average is kernel divided by
    the number of positions, so that a map's values add up to logit - bias. A contrast is the difference of two maps.
    """
    positions = outputs.features.shape[1] * outputs.features.shape[2]
    maps = np.moveaxis(outputs.features @ (head.kernel / positions), -1, 1)
    return np.ascontiguousarray(maps, dtype=np.float32)


def gradient_map(keras_path: Path, image: NDArray[np.uint8], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The signed Grad-CAM map of the score logits @ weights by differentiation, float32 (height, width).

    Taken at the layer `features`, or where there is none at the last layer whose output has height and width. Raises
    ExplanationError when the network has no such layer.
    """
    compiled = _compiled(keras_path, keras_path.stat().st_mtime_ns)
    values: NDArray[np.float32] = compiled(image[np.newaxis].astype(np.float32), weights).numpy()
    return values


@lru_cache(maxsize=2)
def _compiled(keras_path: Path, modified: int) -> Callable[..., Any]:
    """The compiled Grad-CAM of one Keras file; `modified` makes an overwritten file a new one."""
    import keras
    import tensorflow as tf

    model = keras.models.load_model(keras_path)
    probe = keras.Model(model.inputs[0], [_feature_layer(model).output, model.outputs[0]])

    def signed_map(images: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            features, logits = probe(images, training=False)
            score = tf.linalg.matvec(logits, weights)
        importance = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2), keepdims=True)
        return tf.reduce_sum(importance * features, axis=-1)[0]

    compiled: Callable[..., Any] = tf.function(signed_map)
    return compiled


def _feature_layer(model: Any) -> Any:
    import keras

    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    spatial = [layer for layer in layers if len(layer.output.shape) == 4]
    if not spatial:
        raise ExplanationError("Grad-CAM needs a network with a feature map, and this one has none. Try SHAP or LIME.")
    return next((layer for layer in spatial if layer.name == FEATURE_LAYER), spatial[-1])

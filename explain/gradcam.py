"""Grad-CAM (Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74), signed: without the final ReLU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explain.method import Estimate, Question
from model.bundle import LinearHead, ModelBundle, load_bundle
from model.keras_model import load_keras
from model.prediction import Outputs

if TYPE_CHECKING:
    import keras

FEATURE_LAYER = "features"


def grad_cam(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by Grad-CAM at the last feature map, in one forward pass.

    A map is linear in its score, so that of a contrast is the difference of two classes' maps.
    """
    predictor, image = question.predictor, question.image[np.newaxis]
    if predictor.bundle.head is None:
        maps, computed_by = gradient_maps(predictor.bundle, image), "TensorFlow gradients"
    else:
        maps, computed_by = class_maps(predictor.run(image), predictor.bundle.head), "linear head"
    yield Estimate(
        np.tensordot(question.weights, maps[0], axes=1), evaluations=1, parameters={"computed_by": computed_by}
    )


def class_maps(outputs: Outputs, head: LinearHead) -> NDArray[np.float32]:
    """The signed Grad-CAM maps of every class for n images, float32 (n, classes, height, width).

    With logit = mean over positions of features @ kernel + bias, the gradient's global average is kernel divided by
    the number of positions, so that a map's values add up to logit - bias. A contrast is the difference of two maps.
    """
    positions = outputs.features.shape[1] * outputs.features.shape[2]
    maps = np.moveaxis(outputs.features @ (head.kernel / positions), -1, 1)
    return np.ascontiguousarray(maps, dtype=np.float32)


def gradient_maps(bundle: ModelBundle, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The signed Grad-CAM maps of every class for n prepared images, float32 (n, classes, height, width), for a
    network with any head: TensorFlow differentiates it.
    """
    compiled = _compiled(bundle.path, bundle.weights_path.stat().st_mtime_ns)
    maps: NDArray[np.float32] = compiled(images.astype(np.float32)).numpy()
    return maps


@lru_cache(maxsize=2)
def _compiled(folder: Path, modified: int) -> Callable[..., Any]:
    """The compiled Grad-CAM of the bundle in `folder`; `modified` makes overwritten weights others."""
    return compiled_gradient_maps(load_keras(load_bundle(folder)))


def compiled_gradient_maps(model: keras.Model) -> Callable[..., Any]:
    """A compiled function from float32 images (n, size, size, 3) to the signed Grad-CAM maps of every class, taken at
    the layer `features`.
    """
    import keras
    import tensorflow as tf

    probe = keras.Model(model.inputs[0], [model.get_layer(FEATURE_LAYER).output, model.outputs[0]])

    def signed_maps(images: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            features, logits = probe(images, training=False)
            scores = tf.unstack(logits, num=logits.shape[-1], axis=1)
        gradients = tf.stack([tape.gradient(score, features) for score in scores], axis=1)
        importance = tf.reduce_mean(gradients, axis=(2, 3))
        return tf.einsum("nhwc,nkc->nkhw", features, importance)

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    compiled: Callable[..., Any] = tf.function(signed_maps, input_signature=signature)
    return compiled

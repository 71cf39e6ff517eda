"""Grad-CAM (Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74), signed: without the final ReLU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explain.feature_gradient import feature_gradient
from explain.gradients import KEPT, network
from explain.method import Estimate, Question
from model.bundle import LinearHead, ModelBundle, load_bundle
from model.dense_head import FEATURES, DenseHead
from model.prediction import Outputs

if TYPE_CHECKING:
    import keras


def grad_cam(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by Grad-CAM at a layer, the last feature map unless one is asked for.

    A channel counts for the average over the positions of its gradient. A map is linear in its score, so that of a
    contrast is the difference of two classes' maps. One evaluation.
    """
    if question.layer in (None, FEATURES):
        image = question.image[np.newaxis]
        maps, computed_by = grad_cams(question.predictor.bundle, image, question.predictor.run(image))
        values = np.tensordot(question.weights, maps[0], axes=1)
        yield Estimate(values, evaluations=1, parameters={"layer": FEATURES, "computed_by": computed_by})
    else:
        given = feature_gradient(question)
        yield Estimate(given.features @ given.gradient.mean(axis=(0, 1)), evaluations=1, parameters=given.parameters)


def grad_cams(bundle: ModelBundle, images: NDArray[np.uint8], outputs: Outputs) -> tuple[NDArray[np.float32], str]:
    """The signed Grad-CAM maps of every class for n prepared images and what the network gave for them.

    float32 (n, classes, height, width), and what they were computed by: the cheapest way that the head allows.
    """
    if bundle.head is not None:
        return class_maps(outputs, bundle.head), "linear head"
    if bundle.dense_head is not None:
        return dense_head_maps(outputs, bundle.dense_head), "dense head"
    return gradient_maps(bundle, images), "TensorFlow gradients"


def class_maps(outputs: Outputs, head: LinearHead) -> NDArray[np.float32]:
    """The signed Grad-CAM maps of every class for n images, float32 (n, classes, height, width).

    With logit = mean over positions of features @ kernel + bias, the gradient's global average is kernel divided by
    the number of positions, so that a map's values add up to logit - bias. A contrast is the difference of two maps.
    """
    n, height, width, channels = outputs.features.shape
    # As one matrix: numpy would multiply every row of every map by itself, which takes three times as long.
    flat = outputs.features.reshape(-1, channels) @ (head.kernel / (height * width))
    maps = np.moveaxis(flat.reshape(n, height, width, -1), -1, 1)
    return np.ascontiguousarray(maps, dtype=np.float32)


def dense_head_maps(outputs: Outputs, head: DenseHead) -> NDArray[np.float32]:
    """The same for a network whose dense layers see where a feature is: the head alone is differentiated."""
    n, height, width, channels = outputs.features.shape
    importance = head.summed_gradients(outputs.features) / np.float32(height * width)
    positions = outputs.features.reshape(n, height * width, channels)
    maps = importance @ positions.swapaxes(1, 2)
    return maps.reshape(n, -1, height, width).astype(np.float32, copy=False)


def gradient_maps(bundle: ModelBundle, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The signed Grad-CAM maps of every class for n prepared images, float32 (n, classes, height, width), for a
    network with any head: TensorFlow differentiates it.
    """
    compiled = _compiled(bundle.path, bundle.weights_path.stat().st_mtime_ns)
    maps: NDArray[np.float32] = compiled(images.astype(np.float32)).numpy()
    return maps


@lru_cache(maxsize=KEPT)
def _compiled(folder: Path, modified: int) -> Callable[..., Any]:
    """The compiled Grad-CAM of the bundle in `folder`; `modified` makes overwritten weights others."""
    return compiled_gradient_maps(network(load_bundle(folder)))


def compiled_gradient_maps(model: keras.Model) -> Callable[..., Any]:
    """A compiled function from float32 images (n, size, size, 3) to the signed Grad-CAM maps of every class, taken at
    the layer `features`.
    """
    import keras
    import tensorflow as tf

    probe = keras.Model(model.inputs[0], [model.get_layer(FEATURES).output, model.outputs[0]])

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

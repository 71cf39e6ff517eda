"""Gradients of a score: with respect to the image by ONNX Runtime where it can, else by TensorFlow.

Either is made once for a bundle, whatever the score and the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from explain.gradient_graph import GRADIENT, IMAGE, WEIGHTS, NotDifferentiableError, gradient_graph
from explain.layers import layers
from model.bundle import ONNX_FILE, ModelBundle, load_bundle
from model.keras_model import load_keras
from model.machine import usable_cores

if TYPE_CHECKING:
    import keras

BATCH = 4  # images a time: on a CPU larger batches are hardly faster, and this one shows and stops often
KEPT = 6  # networks of this process: all that are shipped

Array = NDArray[np.float32]
_DERIVING = Lock()  # else whoever asks first at the same time would each derive the same graph


def image_gradients(bundle: ModelBundle, images: NDArray[Any], weights: Array) -> Array:
    """The gradients of n scores with respect to n images, float32 (n, size, size, 3), in logits per grey level.

    `images` are RGB in [0, 255] of the same shape; the score is the sum of the logits times `weights` (classes,).
    """
    session = _session_of(bundle)
    if session is None:
        compiled = _compiled(bundle.path, bundle.weights_path.stat().st_mtime_ns, ())
        gradients: Array = compiled(images.astype(np.float32), weights)[1].numpy()
        return gradients

    def gradient(image: Array) -> Array:
        given = {IMAGE: image[np.newaxis], WEIGHTS: weights[np.newaxis].astype(np.float32)}
        found: Array = session.run([GRADIENT], given)[0][0]
        return found

    with ThreadPoolExecutor(usable_cores()) as threads:
        return np.stack(list(threads.map(gradient, images.astype(np.float32))))


def image_gradients_by_tensorflow(bundle: ModelBundle) -> bool:
    """Whether `image_gradients` has to load TensorFlow, as the network holds an operation that has no rule.

    Takes half a second when it is first asked of a bundle.
    """
    return _session_of(bundle) is None


def _session_of(bundle: ModelBundle) -> onnxruntime.InferenceSession | None:
    with _DERIVING:
        return _session(bundle.path, bundle.weights_path.stat().st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _session(folder: Path, modified: int) -> onnxruntime.InferenceSession | None:
    """What runs the gradient of the bundle in `folder`; `modified` makes overwritten weights others."""
    try:
        graph = gradient_graph(folder / ONNX_FILE)
    except NotDifferentiableError:
        return None
    options = onnxruntime.SessionOptions()
    # An image on each core is a quarter faster than one image on all of them.
    options.intra_op_num_threads = max(1, usable_cores() // BATCH)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def layer_gradient(bundle: ModelBundle, layer: str, image: NDArray[np.uint8], weights: Array) -> tuple[Array, Array]:
    """The feature map of a layer for a prepared image and the gradient of its score, each (height, width, channels).

    `layer` is one of `explain.layers.layers`.
    """
    known = layers(bundle)
    compiled = _compiled(bundle.path, bundle.weights_path.stat().st_mtime_ns, known)
    features, gradients = compiled(image[np.newaxis].astype(np.float32), weights)
    index = known.index(layer)
    return features[index][0].numpy(), gradients[index][0].numpy()


def warm_up(bundle: ModelBundle) -> None:
    """Derive the gradient of the image, load TensorFlow and compile those of the layers: seconds, once a process."""
    side, weights = bundle.card.size, np.zeros(len(bundle.card.classes), np.float32)
    blank = np.zeros((side, side, 3), np.uint8)
    if image_gradients_by_tensorflow(bundle):
        image_gradients(bundle, blank[np.newaxis], weights)
    for layer in layers(bundle)[-1:]:
        layer_gradient(bundle, layer, blank, weights)


def network(bundle: ModelBundle) -> keras.Model:
    """The bundle's Keras model, one of KEPT that are kept."""
    return _network(bundle.path, bundle.weights_path.stat().st_mtime_ns)


@lru_cache(maxsize=KEPT)
def _network(folder: Path, modified: int) -> keras.Model:
    """The network in `folder`; `modified` makes overwritten weights another network."""
    return load_keras(load_bundle(folder))


@lru_cache(maxsize=2 * KEPT)
def _compiled(folder: Path, modified: int, layers: tuple[str, ...]) -> Callable[..., Any]:
    return compiled_gradients(_network(folder, modified), layers)


def compiled_gradients(model: keras.Model, layers: tuple[str, ...]) -> Callable[..., Any]:
    """A compiled function from images (n, size, size, 3) and weights (classes,), float32, to the outputs of the layers
    and the gradients of the score with respect to them; without layers, to the images and their gradients.

    One function gives all layers, since compiling takes seconds and the finest one's gradient is made of the others'.
    """
    import keras
    import tensorflow as tf

    probe = keras.Model(model.inputs[0], [*(model.get_layer(name).output for name in layers), model.outputs[0]])

    def differentiate(images: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = tf.nest.flatten(probe(images, training=False))
            score = tf.linalg.matvec(outputs[-1], weights)
        sources = outputs[:-1] if layers else images
        return sources, tape.gradient(score, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    signature = [
        tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
        tf.TensorSpec((model.output_shape[-1],), tf.float32),
    ]
    compiled: Callable[..., Any] = tf.function(differentiate, input_signature=signature)
    return compiled

"""Gradients by ONNX Runtime are those of TensorFlow, for every form of the operations that have a rule."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from keras import layers
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from explain import gradients
from explain.gradient_graph import GRADIENT, IMAGE, WEIGHTS, NotDifferentiableError, gradient_graph
from explain.gradients import image_gradients, image_gradients_by_tensorflow
from model.bundle import ModelBundle
from model.images import decode, prepare
from model.keras_model import load_keras
from tests.model.foreign_models import varied
from tests.model.untrained import write_untrained

SIZE = 33  # odd, so that strides do not come out even
Layers = Callable[[keras.KerasTensor], keras.KerasTensor]


def unchanged(tensor: keras.KerasTensor) -> keras.KerasTensor:
    return tensor


def bundle_of(folder: Path, between: Layers, head: Layers = unchanged) -> ModelBundle:
    """The bundle of a network whose feature map is what `between` makes of the image, and `head` of its average."""
    image = keras.Input((SIZE, SIZE, 3), name="image")
    features = layers.Identity(name="features")(between(image))
    embedding = layers.Identity(name="embedding")(head(layers.GlobalAveragePooling2D()(features)))
    network = keras.Model(image, layers.Dense(7, name="logits")(embedding), name="some")
    return write_untrained(folder / "some", varied(network))


def convolved(image: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Conv2D(4, 3)(image)


def pointwise_residual(embedding: keras.KerasTensor) -> keras.KerasTensor:
    """A dense layer without bias, its input added: ONNX Runtime makes one Gemm of both."""
    return layers.add([layers.Dense(embedding.shape[-1], use_bias=False)(embedding), embedding])


def by_tensorflow(bundle: ModelBundle, image: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """The gradient in float64."""
    network = load_keras(bundle)

    def exactly(operation: keras.Operation) -> keras.Operation:
        exact = {"dtype": "float64"} if isinstance(operation, keras.Layer) else {}
        return operation.__class__.from_config({**operation.get_config(), **exact})

    exact = keras.models.clone_model(network, clone_function=exactly)
    exact.set_weights(network.get_weights())
    given = tf.constant(image[np.newaxis], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(given)
        score = tf.linalg.matvec(exact(given, training=False), weights.astype(np.float64))
    gradient: NDArray[np.float64] = tape.gradient(score, given).numpy()[0]
    return gradient


def by_onnx_runtime(
    bundle: ModelBundle, image: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(gradient_graph(bundle.onnx_path), providers=["CPUExecutionProvider"])
    gradient: NDArray[np.float32] = session.run([GRADIENT], {IMAGE: image[np.newaxis], WEIGHTS: weights[np.newaxis]})[0]
    return gradient[0]


def question(size: int = SIZE) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(0)
    return random.uniform(0, 255, (size, size, 3)).astype(np.float32), random.normal(size=7).astype(np.float32)


def assert_the_same(bundle: ModelBundle, size: int = SIZE) -> None:
    expected = by_tensorflow(bundle, *question(size))
    assert np.abs(expected).max() > 0
    assert_allclose(by_onnx_runtime(bundle, *question(size)), expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_convolutions(kernel: int, stride: int, padding: str, tmp_path: Path) -> None:
    assert_the_same(bundle_of(tmp_path, layers.Conv2D(4, kernel, stride, padding)))


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("kernel", "stride"), [(2, 1), (3, 1), (3, 2), (5, 2), (3, 3)])
def test_depthwise_convolutions(kernel: int, stride: int, padding: str, tmp_path: Path) -> None:
    depthwise = layers.DepthwiseConv2D(kernel, stride, padding, depth_multiplier=2)
    assert_the_same(bundle_of(tmp_path, depthwise))


@pytest.mark.parametrize(
    "between",
    [
        lambda image: layers.ReLU()(convolved(image)),
        lambda image: layers.ReLU(6)(layers.Rescaling(1 / 20)(convolved(image))),
        lambda image: layers.BatchNormalization()(layers.ReLU()(convolved(image))),
        lambda image: layers.MaxPooling2D(3)(layers.Conv2D(4, 2)(image)),
        lambda image: layers.add([layers.Conv2D(3, 3, padding="same")(image), image]),
        lambda image: layers.subtract([layers.Conv2D(3, 3, padding="same")(image), image]),
        lambda image: layers.multiply([layers.Conv2D(3, 3, padding="same")(image), layers.Rescaling(1 / 255)(image)]),
        lambda image: layers.add([layers.Rescaling(0.1)(image), layers.Rescaling(0.2)(image)]),
        keras.applications.mobilenet_v2.preprocess_input,
        lambda image: layers.Permute((2, 1, 3))(layers.Conv2D(3, 3, strides=(1, 2))(image)),
        layers.Reshape((11, 99, 3)),
    ],
    ids=[
        "relu",
        "clip",
        "normalisation",
        "pooling",
        "sum",
        "difference",
        "product",
        "twice",
        "preprocessing",
        "transposed",
        "reshaped",
    ],
)
def test_other_layers(between: Layers, tmp_path: Path) -> None:
    assert_the_same(bundle_of(tmp_path, between))


def test_what_has_a_rule_is_not_left_to_tensorflow(tmp_path: Path) -> None:
    assert not image_gradients_by_tensorflow(bundle_of(tmp_path, convolved))


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_weights_that_are_linked(link: Callable[[Path, Path], None], tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, convolved)
    elsewhere = bundle.weights_path.rename(tmp_path / "weights")
    link(elsewhere, bundle.weights_path)
    assert_the_same(bundle)


def test_a_dense_head(tmp_path: Path) -> None:
    from model.networks import lesion_cnn

    assert_the_same(write_untrained(tmp_path / "cnn", varied(lesion_cnn(32))), 32)


def test_the_shipped_network_but_for_units_at_the_very_edge_of_their_relu(
    bundle: ModelBundle, originals: list[Path]
) -> None:
    _, weights = question()
    for path in originals[:3]:
        image = prepare(decode(path), bundle.card.size).astype(np.float32)
        expected, found = by_tensorflow(bundle, image, weights), image_gradients(bundle, image[np.newaxis], weights)[0]
        apart = np.abs(found - expected) > 1e-4 * np.abs(expected).max()
        assert apart.mean() < 0.05
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize(
    ("between", "head", "words"),
    [
        (layers.Conv2D(4, 3, dilation_rate=2), unchanged, "Conv with dilations"),
        (lambda image: layers.MaxPooling2D(3, 2)(convolved(image)), unchanged, "windows that overlap"),
        (layers.DepthwiseConv2D(1, 2, padding="valid"), unchanged, "leaves rows over"),
        (
            lambda image: layers.Reshape((33, 33, 3))(layers.Conv3D(1, 1)(layers.Reshape((33, 33, 3, 1))(image))),
            unchanged,
            "Conv of anything but images",
        ),
        (layers.Conv2D(4, 3, activation="sigmoid"), unchanged, "Sigmoid"),
        (convolved, pointwise_residual, "Gemm by or plus"),
    ],
    ids=["dilated", "overlapping", "left over", "volume", "sigmoid", "residual"],
)
def test_what_has_no_rule_is_left_to_tensorflow(between: Layers, head: Layers, words: str, tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, between, head)
    with pytest.raises(NotDifferentiableError, match=words):
        gradient_graph(bundle.onnx_path)
    assert image_gradients_by_tensorflow(bundle)
    image, weights = question()
    expected = by_tensorflow(bundle, image, weights)
    found = image_gradients(bundle, image[np.newaxis], weights)[0]
    assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_logits_that_do_not_depend_on_the_image_have_no_gradient(tmp_path: Path) -> None:
    blind = bundle_of(tmp_path, lambda image: convolved(keras.ops.zeros_like(image)))
    with pytest.raises(NotDifferentiableError, match="do not depend on the image"):
        gradient_graph(blind.onnx_path)
    image, weights = question()
    assert not image_gradients(blind, image[np.newaxis], weights).any()


def test_whoever_asks_first_at_the_same_time_waits_for_one_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    derived: list[Path] = []

    def counted(serving: Path) -> bytes:
        derived.append(serving)
        return gradient_graph(serving)

    monkeypatch.setattr(gradients, "gradient_graph", counted)
    bundle = bundle_of(tmp_path, convolved)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(image_gradients_by_tensorflow, [bundle] * 4))
    assert derived == [bundle.onnx_path]

"""Gradients through a dense head by numpy, against TensorFlow's."""

import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.testing import assert_allclose

from model.dense_head import DenseHead, DenseLayer, read_dense_head
from model.keras_model import architecture_json
from tests.model.foreign_models import varied


def network(*head: Any) -> keras.Model:
    """A convolution whose 7 × 7 × 3 output is the layer `features`, and then `head` and three logits."""
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(3, 3, strides=2, activation="relu", name="features")(image)
    for layer in head:
        x = layer(x)
    return varied(keras.Model(image, layers.Dense(3, name="logits")(x)))


def dense_head(model: keras.Model) -> DenseHead | None:
    architecture: Sequence[dict[str, Any]] = json.loads(architecture_json(model))["config"]["layers"]
    weights = {weight.path: np.asarray(weight.numpy()) for weight in model.weights}
    return read_dense_head(architecture, weights.__getitem__)


HEADS = {
    "pooled, dense, ReLU, batch normalisation": lambda: (
        layers.MaxPooling2D(),
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(6, activation="relu"),
        layers.BatchNormalization(),
        layers.Dense(5, activation="relu"),
        layers.Dropout(0.2),
    ),
    "batch normalisation before the ReLU": lambda: (
        layers.Flatten(),
        layers.Dense(6, use_bias=False),
        layers.BatchNormalization(scale=False),
        layers.Activation("relu"),
        layers.Dense(5),
        layers.BatchNormalization(center=False),
        layers.ReLU(),
        layers.BatchNormalization(),
    ),
    "global average": lambda: (layers.GlobalAveragePooling2D(), layers.Dense(6, activation="relu")),
    "global maximum": lambda: (layers.GlobalMaxPooling2D(), layers.Dense(6), layers.BatchNormalization()),
    "logits alone": lambda: (layers.Flatten(),),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_gradients_are_tensorflow_s(name: str) -> None:
    import tensorflow as tf

    model = network(*HEADS[name]())
    head = dense_head(model)
    assert head is not None
    probe = keras.Model(model.inputs[0], [model.get_layer("features").output, model.outputs[0]])
    images = tf.constant(np.random.default_rng(0).normal(0, 1, (4, 16, 16, 3)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        features, logits = probe(images, training=False)
        scores = tf.unstack(logits, axis=1)
    expected = np.stack([tape.gradient(score, features).numpy().sum(axis=(1, 2)) for score in scores], axis=1)
    assert_allclose(head.summed_gradients(features.numpy()), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "head",
    [
        (layers.Conv2D(2, 3), layers.Flatten()),
        (layers.Flatten(), layers.Dense(4, activation="gelu")),
        (layers.Flatten(), layers.Dense(4), layers.ReLU(6.0)),
        (layers.Flatten(), layers.Dense(4), layers.LayerNormalization()),
        (layers.MaxPooling2D(3, strides=2), layers.Flatten()),
        (layers.BatchNormalization(), layers.Flatten()),
    ],
)
def test_other_heads_are_none(head: tuple[Any, ...]) -> None:
    assert dense_head(network(*head)) is None


def test_branches_are_none() -> None:
    image = keras.Input((16, 16, 3), name="image")
    flat = layers.Flatten()(layers.Conv2D(3, 3, name="features")(image))
    both = layers.Concatenate()([layers.Dense(2)(flat), layers.Dense(2)(flat)])
    assert dense_head(keras.Model(image, layers.Dense(3, name="logits")(both))) is None


def test_a_hand_computed_case() -> None:
    """Two positions of one channel, one hidden unit 2a - b + 1, logits 3h and -h: no gradient where h is below 0."""
    one, nothing = np.ones(1, np.float32), np.zeros(1, np.float32)
    hidden = DenseLayer(np.array([[2], [-1]], np.float32), one, rectified=True, scale=one, shift=nothing)
    logits = DenseLayer(np.array([[3, -1]], np.float32), np.zeros(2, np.float32), False, np.ones(2), np.zeros(2))
    head = DenseHead(1, "max", 1, (hidden, logits))
    features = np.array([[[[1], [1]]], [[[0], [5]]]], np.float32)
    assert_allclose(head.summed_gradients(features)[..., 0], [[3, -1], [0, 0]])

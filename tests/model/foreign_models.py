"""Models as other people build and save them."""

from typing import Any

import keras
import numpy as np
from keras import layers

CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
SIZE = 48


def varied(model: Any) -> Any:
    """`model` with weights that no initialiser gives, as a training would leave them, so that every one counts."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        shape = weight.shape
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(random.uniform(0.5, 2.0, shape))
        elif weight.name in ("beta", "bias", "moving_mean"):
            weight.assign(random.normal(0, 0.3, shape))
        elif len(shape) > 1:
            weight.assign(random.normal(0, 1.2 / np.sqrt(np.prod(shape[:-1])), shape))
    return model


def original_project() -> keras.Sequential:
    """The original project's shape, narrow: four convolution blocks, Flatten, dense layers, softmax."""
    model = keras.Sequential([layers.Input((SIZE, SIZE, 3))])
    for filters in (4, 4, 6, 6):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.BatchNormalization())
        model.add(layers.MaxPooling2D())
        model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.Dense(7, activation="softmax"))
    model.compile("adam", "categorical_crossentropy")
    return varied(model)


def transferred() -> keras.Model:
    """MobileNetV2 as one layer under a new head, as Keras' guide to transfer learning has it, with two classes."""
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(SIZE, SIZE, 3), alpha=0.35, name="mobilenet"
    )
    backbone.trainable = False
    image = keras.Input((SIZE, SIZE, 3))
    features = backbone(keras.applications.mobilenet_v2.preprocess_input(image), training=False)
    pooled = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(features))
    return varied(keras.Model(image, layers.Dense(2, activation="softmax")(pooled)))


def small(*end: layers.Layer) -> keras.Sequential:
    """A convolution, and then `end`."""
    return varied(keras.Sequential([layers.Input((SIZE, SIZE, 3)), layers.Conv2D(4, 3, strides=2), *end]))

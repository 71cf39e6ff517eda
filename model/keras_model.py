"""A bundle's network as a Keras model: its architecture as JSON, its weights as tensors, no code in either."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.bundle import ModelBundle
from model.tensorflow_start import start_tensorflow

if TYPE_CHECKING:
    import keras


def load_keras(bundle: ModelBundle) -> keras.Model:
    """Build the network of `bundle`: float32 images (n, size, size, 3) in [0, 255] to logits (n, classes).

    Built in Keras' safe mode, which runs no code that a bundle might bring.
    """
    start_tensorflow()
    import keras
    from safetensors.numpy import load_file

    architecture = json.loads(bundle.architecture_path.read_text(encoding="utf-8"))
    model = keras.saving.deserialize_keras_object(architecture, safe_mode=True)
    stored = load_file(bundle.weights_path)
    for variable in model.weights:
        variable.assign(stored[variable.path])
    return model


def architecture_json(model: keras.Model) -> str:
    """The architecture of `model` without its optimizer, as `load_keras` reads it."""
    import keras

    return str(keras.Model(model.inputs[0], model.outputs[0], name=model.name).to_json()) + "\n"


def stored_weights(model: keras.Model) -> dict[str, NDArray[np.generic]]:
    """Every weight of `model` by its path, as a bundle stores it: float16 from two dimensions up, float32 vectors.

    Kernels make up nearly all of a network's size, and half precision suffices for them; batch normalisation's
    variances and the biases keep theirs, which costs little.
    """
    weights = {weight.path: np.asarray(weight.numpy(), order="C") for weight in model.weights}
    assert len(weights) == len(model.weights), "two weights share a path"
    return {path: values.astype(np.float16) if values.ndim >= 2 else values for path, values in weights.items()}


def round_to_stored(model: keras.Model) -> None:
    """Round the weights of `model` to those that a bundle stores, so that what is measured is what is shipped."""
    stored = stored_weights(model)
    for weight in model.weights:
        weight.assign(stored[weight.path])

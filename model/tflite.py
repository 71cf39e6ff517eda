"""TensorFlow Lite files of a network (LiteRT, as it is called now): float32, float16 weights, or int8 throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bundle import ModelBundle
from model.keras_model import load_keras
from model.machine import usable_cores
from model.tensorflow_start import closed_error_stream


def float32_tflite(bundle: ModelBundle) -> bytes:
    """The network as it is; input one image, float32 (1, size, size, 3) in [0, 255], output its logits (1, classes)."""
    return _converted(bundle)


def float16_tflite(bundle: ModelBundle) -> bytes:
    """The same with weights in float16, half the size; they are made float32 again when the file is opened."""
    import tensorflow as tf

    return _converted(bundle, optimizations=[tf.lite.Optimize.DEFAULT], target_spec={"supported_types": [tf.float16]})


def int8_tflite(bundle: ModelBundle, images: NDArray[np.uint8]) -> bytes:
    """The same with all weights and activations in int8; input and output stay float32.

    One scale for each output channel of a kernel; the ranges of the activations are those on `images`, uint8
    (n, size, size, 3): prepared training images.
    """
    import tensorflow as tf

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            yield [image[np.newaxis].astype(np.float32)]

    return _converted(
        bundle,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=calibration,
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    )


def tflite_logits(path: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """The network in a TensorFlow Lite file: logits (n, classes) of images (n, size, size, 3), one after the other.

    It runs on all cores, for one caller at a time.
    """
    from ai_edge_litert.interpreter import Interpreter

    with closed_error_stream():
        interpreter = Interpreter(str(path), num_threads=usable_cores())
        interpreter.allocate_tensors()
    image_index = interpreter.get_input_details()[0]["index"]
    logits_index = interpreter.get_output_details()[0]["index"]

    def logits(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = []
        for image in images:
            interpreter.set_tensor(image_index, image[np.newaxis].astype(np.float32))
            interpreter.invoke()
            found.append(interpreter.get_tensor(logits_index))
        return np.concatenate(found)

    return logits


def _converted(bundle: ModelBundle, **settings: Any) -> bytes:
    """The file that Keras makes with these settings of the TFLiteConverter."""
    import tensorflow as tf

    model = load_keras(bundle)
    image = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    settings = {"target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}, **settings}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.tflite"
        # Weights as constants, which alone can be quantised.
        settings["experimental_enable_resource_variables"] = False
        with closed_error_stream():
            model.export(file, format="litert", input_signature=[image], verbose=False, **settings)
        return file.read_bytes()

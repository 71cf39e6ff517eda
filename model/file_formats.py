"""The files that a model bundle can be turned into for use elsewhere.

Every one takes float32 RGB images in [0, 255] of the bundle's input size and gives logits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.bundle import INT8_FILE
from model.quantisation import float32_onnx, int8_onnx, onnx_logits
from model.splits import Split
from model.tflite import float16_tflite, float32_tflite, int8_tflite, tflite_logits

CALIBRATION_IMAGES = 200


@dataclass(frozen=True)
class FileFormat:
    """A kind of file: its name, and how its content is made.

    A `calibrated` format is made with prepared training images, uint8 (n, size, size, 3), the others without.
    """

    file: str
    content: Callable[..., bytes]
    calibrated: bool = False


FORMATS = {
    "tflite-float32": FileFormat("float32.tflite", float32_tflite),
    "tflite-float16": FileFormat("float16.tflite", float16_tflite),
    "tflite-int8": FileFormat("int8.tflite", int8_tflite, calibrated=True),
    "onnx-float32": FileFormat("float32.onnx", float32_onnx),
    "onnx-int8": FileFormat(INT8_FILE, int8_onnx, calibrated=True),
}


def calibration_rows(parts: Split, seed: int = 0) -> NDArray[np.intp]:
    """Which cases to calibrate with: CALIBRATION_IMAGES distinct ones of the training part, or all if it has fewer."""
    rows = np.unique(parts.train)  # `oversampled` repeats images
    chosen: NDArray[np.intp] = np.random.default_rng(seed).permutation(rows)[:CALIBRATION_IMAGES]
    return np.sort(chosen)


def open_logits(path: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """The network in a file of one of FORMATS: logits (n, classes) of images (n, size, size, 3), RGB in [0, 255]."""
    return tflite_logits(path) if path.suffix == ".tflite" else onnx_logits(path)

"""ONNX files of a network that stand alone: in float32, and quantised to int8 after training.

Static quantisation with one scale for each output channel of a kernel (Jacob et al. 2018, arXiv:1712.05877;
Krishnamoorthi 2018, arXiv:1806.08342), by ONNX Runtime. Both have the serving graph's input and its three outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.bundle import ModelBundle
from model.prediction import batches
from model.serving_graph import load_serving_graph

if TYPE_CHECKING:
    import onnx

# ONNX Runtime keeps every activation of a batch while it measures ranges.
BATCH = 8
# Weights of a convolution's kernel.
SMALL_KERNEL = 3_000


class _Reader:
    """What ONNX Runtime calls a calibration data reader: batches of images until there are no more."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = images
        self._parts = batches(len(images), BATCH)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The input of the next batch."""
        part = next(self._parts, None)
        return None if part is None else {"image": self._images[part].astype(np.float32)}


def float32_onnx(bundle: ModelBundle) -> bytes:
    """The serving graph with its weights inside, its batch normalisations folded into the convolutions."""
    with TemporaryDirectory() as folder:
        return _folded(bundle, Path(folder)).read_bytes()


def int8_onnx(bundle: ModelBundle, images: NDArray[np.uint8]) -> bytes:
    """The same with kernels in int8 and activations in uint8, in the QDQ form that ONNX Runtime fuses.

    The ranges of the activations are the smallest and largest values on `images`, uint8 (n, size, size, 3): prepared
    training images. The first convolutions stay in float32 as long as their kernels are small: in EfficientNet-Lite0
    they are an eighth of the work, and make three quarters of the error. So does what follows the last convolution
    where the head is linear: it is what Grad-CAM multiplies.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with TemporaryDirectory() as folder:
        source, target = _folded(bundle, Path(folder)), Path(folder) / "int8.onnx"
        quantize_static(
            source,
            target,
            _Reader(images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_kept(onnx.load(source).graph, linear_head=bundle.head is not None),
            calibrate_method=CalibrationMethod.MinMax,
        )
        return target.read_bytes()


def onnx_logits(path: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """The network in an ONNX file: logits (n, classes) of images (n, size, size, 3), as one batch on all cores."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def logits(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(["logits"], {"image": images.astype(np.float32)})[0]
        return found

    return logits


def _folded(bundle: ModelBundle, folder: Path) -> Path:
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    whole, folded = folder / "whole.onnx", folder / "float32.onnx"
    onnx.save(load_serving_graph(bundle.onnx_path), whole)
    quant_pre_process(whole, folded, skip_symbolic_shape=True)
    return folded


def _kept(graph: onnx.GraphProto, *, linear_head: bool) -> list[str]:
    """The names of the nodes that stay in float32: the small first convolutions and a linear head."""
    weights = {tensor.name: prod(tensor.dims) for tensor in graph.initializer}
    convolutions = [index for index, node in enumerate(graph.node) if node.op_type == "Conv"]
    small = list(
        takewhile(lambda index: weights.get(graph.node[index].input[1], SMALL_KERNEL) < SMALL_KERNEL, convolutions)
    )
    kept = [*graph.node[: small[-1] + 1 if small else 0], *(graph.node[convolutions[-1] + 1 :] if linear_head else [])]
    return [node.name for node in kept]

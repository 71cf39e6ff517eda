"""A head of dense layers between the last feature map and the logits, and its gradients.

Read from a bundle's own files, so that Grad-CAM of a network with such a head costs little beyond its forward pass and
needs no TensorFlow.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Layer = Mapping[str, Any]

FEATURES, LOGITS = "features", "logits"
WITHOUT_EFFECT = ("Dropout", "SpatialDropout2D", "Identity")
GLOBAL_POOLINGS = {"GlobalAveragePooling2D": "global average", "GlobalMaxPooling2D": "global max"}


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """x → max(x @ kernel + bias, 0) * scale + shift, without the maximum where it is not `rectified`; all float32.

    `kernel` is (inputs, units), the others (units,). A batch normalisation before the ReLU is in kernel and bias, one
    after it in scale and shift.
    """

    kernel: Array
    bias: Array
    rectified: bool
    scale: Array
    shift: Array

    def normalised(self, scale: Array, shift: Array) -> "DenseLayer":
        """This layer, its output times `scale` plus `shift`."""
        if self.rectified:
            return replace(self, scale=self.scale * scale, shift=self.shift * scale + shift)
        return replace(self, kernel=self.kernel * scale, bias=self.bias * scale + shift)


@dataclass(frozen=True, eq=False)
class DenseHead:
    """The feature map of `channels` channels, pooled and flattened, and the dense layers after it, the logits last.

    `pooling` is "max" over windows of `window` pixels a side (1 for none), "global max" or "global average".
    """

    channels: int
    pooling: str
    window: int
    layers: tuple[DenseLayer, ...]

    def summed_gradients(self, features: Array) -> Array:
        """The gradients of every logit with respect to n feature maps, summed over the positions of a channel.

        `features` is (n, height, width, channels); the result is float32 (n, classes, channels). Whichever position a
        pooling takes its value from, or over how many it averages, it passes on as much as it is given: the sum needs
        only the first layer's kernel summed over its positions.
        """
        x = self._pooled(features).reshape(len(features), -1)
        gates: list[Array] = []
        for layer in self.layers[:-1]:
            sums = x @ layer.kernel + layer.bias
            gates.append(np.where(sums > 0, layer.scale, np.float32(0)) if layer.rectified else layer.scale + 0 * sums)
            x = (np.maximum(sums, 0) if layer.rectified else sums) * layer.scale + layer.shift
        kernels = [self.summed_kernel, *(layer.kernel for layer in self.layers[1:])]
        gradients = np.repeat(kernels[-1].T[np.newaxis], len(features), axis=0)
        for kernel, gate in zip(reversed(kernels[:-1]), reversed(gates), strict=True):
            gradients = (gradients * gate[:, np.newaxis]) @ kernel.T
        return gradients

    @cached_property
    def summed_kernel(self) -> Array:
        """The first layer's kernel summed over the positions, float32 (channels, units)."""
        kernel = self.layers[0].kernel
        summed: Array = kernel.reshape(-1, self.channels, kernel.shape[1]).sum(axis=0)
        return summed

    def _pooled(self, features: Array) -> Array:
        pooled: Array
        side, (n, height, width, channels) = self.window, features.shape
        if self.pooling == "global average":
            pooled = features.mean(axis=(1, 2))
        elif self.pooling == "global max":
            pooled = features.max(axis=(1, 2))
        else:
            rows, columns = height // side, width // side
            windows = features[:, : rows * side, : columns * side].reshape(n, rows, side, columns, side, channels)
            pooled = windows.max(axis=(2, 4))
        return pooled


def read_dense_head(architecture: Sequence[Layer], weight: Callable[[str], Array]) -> DenseHead | None:
    """The head of the network of `architecture`, its layers as Keras writes them, whose `weight` is had by its path.

    None where anything but pooling, Flatten, Dense, ReLU, batch normalisation and Dropout, one after the other, lies
    between the layers `features` and `logits`.
    """
    chain = _chain({layer["name"]: layer for layer in architecture})
    if chain is None:
        return None
    channels, layers = chain
    pooling, window, flat = "max", 1, False
    dense: list[DenseLayer] = []
    for layer in layers:
        kind, settings = layer["class_name"], layer["config"]
        if kind in WITHOUT_EFFECT:
            continue
        if kind == "MaxPooling2D" and not flat and window == 1 and (side := _window(settings)):
            window = side
        elif kind in GLOBAL_POOLINGS and not flat and window == 1:
            pooling, flat = GLOBAL_POOLINGS[kind], True
        elif kind == "Flatten":
            flat = True
        elif kind == "Dense" and flat and settings["activation"] in ("linear", "relu"):
            dense.append(_dense(layer["name"], settings, weight))
        elif kind == "BatchNormalization" and dense:
            dense[-1] = dense[-1].normalised(*_normalisation(layer["name"], settings, weight))
        elif _is_relu(kind, settings) and dense and not dense[-1].rectified:
            dense[-1] = replace(dense[-1], rectified=True)
        else:
            return None
    return DenseHead(channels, pooling, window, tuple(dense)) if dense else None


def _chain(architecture: Mapping[str, Layer]) -> tuple[int, list[Layer]] | None:
    """The channels of `features` and the layers from there to `logits`, or None where they are no chain."""
    layers: list[Layer] = []
    name = LOGITS
    while name in architecture:
        layer = architecture[name]
        given = inputs(layer)
        if len(given) != 1:
            return None
        layers.insert(0, layer)
        name = str(given[0]["keras_history"][0])
        if name == FEATURES:
            return int(given[0]["shape"][-1]), layers
    return None


def inputs(layer: Layer) -> list[Mapping[str, Any]]:
    """What a layer is given, as Keras writes it: tensors with their `shape` and `keras_history`."""
    given = [value for node in layer["inbound_nodes"] for value in (*node["args"], *node["kwargs"].values())]
    flat = [one for value in given for one in (value if isinstance(value, list) else [value])]
    return [one["config"] for one in flat if isinstance(one, dict) and one.get("class_name") == "__keras_tensor__"]


def _window(settings: Mapping[str, Any]) -> int:
    """The side of a pooling's windows where they are square and lie side by side, else 0."""
    sides = {*settings["pool_size"], *settings["strides"]}
    return sides.pop() if len(sides) == 1 and settings["padding"] == "valid" else 0


def _dense(name: str, settings: Mapping[str, Any], weight: Callable[[str], Array]) -> DenseLayer:
    units = settings["units"]
    bias = weight(f"{name}/bias") if settings["use_bias"] else np.zeros(units, np.float32)
    ones, zeros = np.ones(units, np.float32), np.zeros(units, np.float32)
    return DenseLayer(weight(f"{name}/kernel"), bias, settings["activation"] == "relu", ones, zeros)


def _normalisation(name: str, settings: Mapping[str, Any], weight: Callable[[str], Array]) -> tuple[Array, Array]:
    """What a batch normalisation multiplies by and adds when it predicts."""
    scale = 1 / np.sqrt(weight(f"{name}/moving_variance") + np.float32(settings["epsilon"]))
    if settings["scale"]:
        scale = scale * weight(f"{name}/gamma")
    shift = -weight(f"{name}/moving_mean") * scale
    return scale, shift + weight(f"{name}/beta") if settings["center"] else shift


def _is_relu(kind: str, settings: Mapping[str, Any]) -> bool:
    if kind == "Activation":
        return bool(settings["activation"] == "relu")
    return kind == "ReLU" and settings["max_value"] is None and not settings["negative_slope"] + settings["threshold"]

"""The gradient of a serving graph's logits with respect to the image, as an ONNX graph itself.

It needs no TensorFlow and takes 0.6 (EfficientNet-Lite0) to 0.85 (lesion_cnn) of TensorFlow's time.

Only the operations of RULES are differentiated, which are those of the networks that LesionLens trains and of
MobileNet. The shapes are fixed to one image, so that ONNX Runtime keeps gradients in the blocked layout of its
convolutions; that alone is a fifth of the time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from model.dense_head import LOGITS
from model.serving_graph import load_serving_graph

IMAGE, WEIGHTS, GRADIENT = "image", "score_weights", "image_gradient"
# A power of two, by which every float32 is multiplied without rounding.
STEEP = 2.0**100
# What ONNX takes of two dimensions where a node does not say.
WINDOW: dict[str, Any] = {
    "strides": [1, 1],
    "pads": [0, 0, 0, 0],
    "dilations": [1, 1],
    "group": 1,
    "auto_pad": b"NOTSET",
}


class NotDifferentiableError(ValueError):
    """A graph holds an operation that has no rule here; the message names it."""


def gradient_graph(serving: Path) -> bytes:
    """The graph from `image` (1, size, size, 3) and `score_weights` (1, classes) to `image_gradient`, the gradient of
    the sum of the logits times the weights with respect to the image; all float32.

    `serving` is a serving graph with its weights beside it. Raises NotDifferentiableError where it has no rule.
    """
    model = _folded(serving)
    graph = model.graph
    backwards = Backwards(model)
    gradients = defaultdict(list, {LOGITS: [WEIGHTS]})
    for node in reversed(list(graph.node)):
        passed_back = gradients[node.output[0]]
        if passed_back and node.output[0] in backwards.depending:
            rule = RULES.get(node.op_type)
            if rule is None:
                raise NotDifferentiableError(f"No rule differentiates {node.op_type}.")
            for name, gradient in rule(backwards, node, backwards.total(passed_back)):
                gradients[name].append(gradient)
    if not gradients[IMAGE]:
        raise NotDifferentiableError("The logits do not depend on the image.")
    found = backwards.total(gradients[IMAGE])
    graph.node.extend([*backwards.nodes, helper.make_node("Identity", [found], [GRADIENT])])
    graph.initializer.extend(backwards.initializers)
    graph.input.append(helper.make_tensor_value_info(WEIGHTS, TensorProto.FLOAT, backwards.shapes[LOGITS]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(GRADIENT, TensorProto.FLOAT, backwards.shapes[IMAGE]))
    serialised: bytes = model.SerializeToString()
    return serialised


def _folded(serving: Path) -> onnx.ModelProto:
    """The graph from one image to its logits alone, its constants and normalisations folded by ONNX Runtime."""
    model = load_serving_graph(serving)
    logits = [output for output in model.graph.output if output.name == LOGITS]
    del model.graph.output[:]
    model.graph.output.extend(logits)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


class Backwards:
    """The nodes that a backward pass adds to a graph, and what its rules ask of the graph.

    `constants` are the graph's arrays, `shapes` those of its tensors, `depending` the tensors that the image changes.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.constants = {array.name: numpy_helper.to_array(array) for array in model.graph.initializer}
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
        self.shapes = {
            value.name: tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
            for value in (*inferred.input, *inferred.value_info, *inferred.output)
        }
        self.depending = {IMAGE}
        for node in model.graph.node:
            if self.depending.intersection(node.input):
                self.depending.update(node.output)

    def constant(self, value: NDArray[Any] | float) -> str:
        """The name of an array that is added to the graph; a number becomes a float32."""
        name = f"backwards_constant_{len(self.initializers)}"
        array = np.asarray(value, None if isinstance(value, np.ndarray) else np.float32)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """The name of the tensor that an added node gives."""
        name = f"backwards_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def total(self, gradients: list[str]) -> str:
        """The sum of what the readers of a tensor pass back to it."""
        first, *others = gradients
        for other in others:
            first = self.node("Add", first, other)
        return first

    def reshaped(self, gradient: str, shape: tuple[int, ...]) -> str:
        """The gradient in another shape."""
        return self.node("Reshape", gradient, self.constant(np.array(shape, np.int64)))

    def array(self, node: onnx.NodeProto, index: int) -> NDArray[Any]:
        """An input of a node, which has to be a constant."""
        if len(node.input) <= index or node.input[index] not in self.constants:
            raise NotDifferentiableError(f"{node.op_type} by anything but constants has no rule.")
        return self.constants[node.input[index]]


Gradients = Iterator[tuple[str, str]]
Rule = Callable[[Backwards, onnx.NodeProto, str], Gradients]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _add(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    for name in node.input:
        if name in backwards.depending:
            _same_shape(backwards, node, name)
            yield name, gradient


def _mul(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    first, second = node.input
    for name, factor in ((first, second), (second, first)):
        if name in backwards.depending:
            _same_shape(backwards, node, name)
            yield name, backwards.node("Mul", gradient, factor)


def _sub(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    first, second = node.input
    if first in backwards.depending:
        _same_shape(backwards, node, first)
        yield first, gradient
    if second in backwards.depending:
        _same_shape(backwards, node, second)
        yield second, backwards.node("Neg", gradient)


def _same_shape(backwards: Backwards, node: onnx.NodeProto, name: str) -> None:
    if backwards.shapes[name] != backwards.shapes[node.output[0]]:
        raise NotDifferentiableError(f"{node.op_type} of tensors of different shapes has no rule.")


def _relu(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    yield node.input[0], backwards.node("Mul", gradient, _above(backwards, node.output[0], 0.0))


def _clip(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    low, high = (float(backwards.array(node, index)) for index in (1, 2))
    output = node.output[0]
    gate = backwards.node("Mul", _above(backwards, output, low), _below(backwards, output, high))
    yield node.input[0], backwards.node("Mul", gradient, gate)


# Comparisons would do, but ONNX Runtime takes tensors out of the layout of its convolutions for them.
def _above(backwards: Backwards, tensor: str, limit: float) -> str:
    """1 where the tensor is larger than `limit`, else 0: a line so steep that only what differs by 1e-30 lies on it."""
    return backwards.node("HardSigmoid", tensor, alpha=STEEP, beta=-limit * STEEP)


def _below(backwards: Backwards, tensor: str, limit: float) -> str:
    return backwards.node("HardSigmoid", tensor, alpha=-STEEP, beta=limit * STEEP)


def _transpose(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    backward = range(len(backwards.shapes[node.input[0]]))[::-1]  # what is meant where the order is not said
    order = np.argsort(_attributes(node).get("perm", backward)).tolist()
    yield node.input[0], backwards.node("Transpose", gradient, perm=order)


def _reshape(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    yield node.input[0], backwards.reshaped(gradient, backwards.shapes[node.input[0]])


def _reduce_mean(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    shape, axes = backwards.shapes[node.input[0]], backwards.array(node, 1).tolist()
    if not axes:
        raise NotDifferentiableError("ReduceMean of no axis has no rule.")
    kept = tuple(1 if axis in axes or axis - len(shape) in axes else size for axis, size in enumerate(shape))
    share = backwards.constant(float(np.prod(kept) / np.prod(shape)))
    each = backwards.node("Mul", backwards.reshaped(gradient, kept), share)
    yield node.input[0], backwards.node("Expand", each, backwards.constant(np.array(shape, np.int64)))


def _gemm(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    attributes = _attributes(node)
    if attributes.get("alpha", 1.0) != 1 or attributes.get("transA", 0):
        raise NotDifferentiableError("Gemm of a transposed or scaled matrix has no rule.")
    if backwards.depending.intersection(node.input[1:]):
        raise NotDifferentiableError("Gemm by or plus anything but constants has no rule.")
    transposed = 1 - attributes.get("transB", 0)
    yield node.input[0], backwards.node("Gemm", gradient, node.input[1], transB=transposed)


def _max_pool(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    attributes, name = WINDOW | _attributes(node), node.input[0]
    kernel = attributes["kernel_shape"]
    _plain(node, attributes)
    if attributes["strides"] != kernel or any(attributes["pads"]):
        raise NotDifferentiableError("MaxPool of windows that overlap or are padded has no rule.")
    indices = f"{node.output[0]}_indices"
    node.output.append(indices)
    shape = backwards.constant(np.array(backwards.shapes[name], np.int64))
    yield name, backwards.node("MaxUnpool", gradient, indices, shape, kernel_shape=kernel, strides=kernel)


def _plain(node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    if set(attributes["dilations"]) != {1} or attributes["auto_pad"] != b"NOTSET" or attributes.get("ceil_mode", 0):
        raise NotDifferentiableError(f"{node.op_type} with dilations, automatic padding or a ceiling has no rule.")


def _convolution(backwards: Backwards, node: onnx.NodeProto, gradient: str) -> Gradients:
    """The transposed convolution; by a convolution with the kernel turned around, where that is faster."""
    attributes, name, kernel = WINDOW | _attributes(node), node.input[0], backwards.array(node, 1)
    _plain(node, attributes)
    if kernel.ndim != 4:
        raise NotDifferentiableError("Conv of anything but images has no rule.")
    strides, pads, groups = attributes["strides"], attributes["pads"], attributes["group"]
    sizes, steps = backwards.shapes[name][2:], backwards.shapes[node.output[0]][2:]
    sides = kernel.shape[2:]
    strided = set(strides) != {1}
    if strided and groups == 1:
        reached = [(steps[axis] - 1) * strides[axis] + sides[axis] - pads[axis] - pads[axis + 2] for axis in (0, 1)]
        windows = {"strides": strides, "pads": pads, "output_padding": [sizes[axis] - reached[axis] for axis in (0, 1)]}
        yield name, backwards.node("ConvTranspose", gradient, node.input[1], **windows)
        return
    before = [sides[axis] - 1 - pads[axis] for axis in (0, 1)]
    after = [sizes[axis] - steps[axis] * strides[axis] + pads[axis] for axis in (0, 1)]
    if min(before + after) < 0:
        raise NotDifferentiableError("Conv that pads by more than its kernel, or leaves rows over, has no rule.")
    if strided:
        gradient = _spread(backwards, gradient, backwards.shapes[node.output[0]], strides)
    grouped = kernel.reshape(groups, -1, *kernel.shape[1:]).swapaxes(1, 2)
    turned = backwards.constant(grouped.reshape(-1, *grouped.shape[2:])[..., ::-1, ::-1])
    yield name, backwards.node("Conv", gradient, turned, group=groups, pads=[*before, *after])


def _spread(backwards: Backwards, tensor: str, shape: tuple[int, ...], strides: list[int]) -> str:
    """The tensor with zeros between its rows and columns, so that they are `strides` apart."""
    n, channels, rows, columns = shape
    width = columns * strides[1]
    places = np.zeros((columns, width), np.float32)
    places[np.arange(columns), np.arange(columns) * strides[1]] = 1
    wide = backwards.node("MatMul", tensor, backwards.constant(places))
    zeros = backwards.constant(np.array([0] * 7 + [(strides[0] - 1) * width], np.int64))
    padded = backwards.node("Pad", wide, zeros)
    return backwards.reshaped(padded, (n, channels, rows * strides[0], width))


RULES: dict[str, Rule] = {
    "Add": _add,
    "Clip": _clip,
    "Conv": _convolution,
    "Gemm": _gemm,
    "MaxPool": _max_pool,
    "Mul": _mul,
    "ReduceMean": _reduce_mean,
    "Relu": _relu,
    "Reshape": _reshape,
    "Sub": _sub,
    "Transpose": _transpose,
}

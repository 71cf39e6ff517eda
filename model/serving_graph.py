"""The ONNX serving graph: the operations of a network, its weights left in the bundle's weights file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.bundle import WEIGHTS_FILE

if TYPE_CHECKING:
    import keras

# The newest operator set that tf2onnx writes.
OPSET = 18
OUTPUTS = ("logits", "features", "embedding")
FLOAT16 = "F16"


def serving_graph(model: keras.Model, weights_file: bytes) -> bytes:
    """The graph of `model`: input `image`, outputs `logits`, `features` (n, h, w, c) and `embedding`.

    `weights_file` is the content of weights.safetensors that will lie beside it: the graph reads the weights from
    there as ONNX external data and casts them to float32. ONNX Runtime folds the casts, transposes and batch
    normalisations into its own copy when it loads the graph.
    """
    import tensorflow as tf
    import tf2onnx
    from keras import Model

    serving = Model(model.inputs[0], {name: model.get_layer(name).output for name in OUTPUTS})
    trainable = len(serving.trainable_variables)
    variables = {f"variable_{i}": v for i, v in enumerate(_in_order(serving))}

    # The weights are inputs here, as the converter would fold constants into others that no file holds.
    def serve(image: tf.Tensor, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor]
        outputs, _ = serving.stateless_call(values[:trainable], values[trainable:], image, training=False)
        return outputs

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="image")]
    signature += [tf.TensorSpec(variable.shape, variable.dtype, name=name) for name, variable in variables.items()]
    graph, _ = tf2onnx.convert.from_function(tf.function(serve), input_signature=signature, opset=OPSET)
    _take_from_file(graph.graph, {name: variable.path for name, variable in variables.items()}, weights_file)
    serialised: bytes = graph.SerializeToString()
    return serialised


def load_serving_graph(path: Path) -> Any:
    """The onnx.ModelProto of a bundle's serving graph, the weights that lie beside it taken in.

    onnx would take them in by itself, but refuses files that are linked, as package managers link them.
    """
    import onnx

    model = onnx.load(path, load_external_data=False)
    content = (path.parent / WEIGHTS_FILE).read_bytes()
    for array in model.graph.initializer:
        place = {entry.key: entry.value for entry in array.external_data}
        if place:
            start = int(place["offset"])
            array.raw_data = content[start : start + int(place["length"])]
            array.data_location = onnx.TensorProto.DEFAULT
            del array.external_data[:]
    return model


def _in_order(model: keras.Model) -> list[Any]:
    return [*model.trainable_variables, *model.non_trainable_variables]


def _take_from_file(graph: Any, paths: dict[str, str], weights_file: bytes) -> None:
    """Replace the inputs of `graph` that `paths` names by the tensors at these paths of the weights file."""
    from onnx import TensorProto, helper

    start = 8 + int.from_bytes(weights_file[:8], "little")
    header = json.loads(weights_file[8:start])
    used = {name for node in graph.node for name in node.input}
    casts = []
    for name, path in paths.items():
        if name not in used:
            continue
        entry = header[path]
        stored = TensorProto(
            name=path if entry["dtype"] == FLOAT16 else name,
            dims=entry["shape"],
            data_type=TensorProto.FLOAT16 if entry["dtype"] == FLOAT16 else TensorProto.FLOAT,
            data_location=TensorProto.EXTERNAL,
        )
        begin, end = entry["data_offsets"]
        place = {"location": WEIGHTS_FILE, "offset": str(start + begin), "length": str(end - begin)}
        for key, value in place.items():
            stored.external_data.add(key=key, value=value)
        graph.initializer.append(stored)
        if entry["dtype"] == FLOAT16:
            casts.append(helper.make_node("Cast", [path], [name], to=TensorProto.FLOAT))
    others = [value for value in graph.input if value.name not in paths]
    nodes = [*casts, *graph.node]
    del graph.input[:], graph.node[:]
    graph.input.extend(others)
    graph.node.extend(nodes)

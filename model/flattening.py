"""Any Keras model as one flat graph of layers that ends in logits, its feature map and embedding named."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from model.keras_file import ForeignModelError

if TYPE_CHECKING:
    import keras

IMAGE, SCALING, FEATURES, EMBEDDING, LOGITS = "image", "scaling", "features", "embedding", "logits"


def flattened(model: keras.Model, size: int, scale: float, offset: float) -> keras.Model:
    """`model` with the same weights and outputs as one graph without models inside: layers alone, all in float32.

    Its input `image` is float32 (n, size, size, 3) in [0, 255]; `model` sees image * scale + offset.
    """
    import keras

    image = keras.Input((size, size, 3), name=IMAGE)
    names = {IMAGE, SCALING, FEATURES, EMBEDDING, LOGITS}

    def copy(operation: Any) -> Any:
        numbered = (f"{operation.name}_{number}" if number else operation.name for number in count())
        name = next(name for name in numbered if name not in names)
        names.add(name)
        if isinstance(operation, keras.layers.Normalization):
            return _normalisation(operation, name)
        return _copied(operation, name=name)

    scaled = image if (scale, offset) == (1, 0) else keras.layers.Rescaling(scale, offset, name=SCALING)(image)
    return _rebuilt(model, image, scaled, copy)


def with_logits(flat: keras.Model) -> keras.Model:
    """A flat network with its softmax taken away and its layers `logits`, `features` and `embedding` named so.

    `logits` is the last dense layer and `embedding` what it is given. `features` is what is pooled globally before it,
    or else the last feature map before it is pooled. Raises ForeignModelError where one of them is missing.
    """
    import keras

    last = _maker(flat.outputs[0])
    softmax = last if _is_softmax(last) else None
    dense = _last_dense(last if softmax is None else _maker(last.input), softmax)
    embedding = _maker(dense.input)
    while isinstance(embedding, keras.layers.Dropout):
        embedding = _maker(embedding.input)
    roles = {id(_feature_map(flat, embedding)): FEATURES, id(embedding): EMBEDDING}

    def copy(operation: Any) -> Any:
        if operation is softmax:
            return _unchanged
        if operation is dense:
            return _copied(operation, name=LOGITS, activation="linear", use_bias=True)
        role = roles.get(id(operation))
        if role is None or isinstance(operation, keras.Layer):
            return _copied(operation, name=role or operation.name)
        # An operation such as x + y is no layer, so that a layer after it carries the name.
        return lambda *args, **kwargs: keras.layers.Identity(name=role)(operation(*args, **kwargs))

    image = keras.Input(flat.input_shape[1:], name=IMAGE)
    return _rebuilt(flat, image, image, copy)


def ends_in_softmax(model: keras.Model) -> bool:
    """Whether the outputs of a flat network are probabilities that a softmax makes."""
    last = _maker(model.outputs[0])
    return _is_softmax(last) or _activation(last) == "softmax"


def _rebuilt(
    model: keras.Model, image: keras.KerasTensor, scaled: keras.KerasTensor, copy: Callable[[Any], Any]
) -> keras.Model:
    """Call copies of all operations of `model`, and of the models inside of it, on `scaled`, which comes from `image`.

    An operation that is called twice is copied once. The copies get the weights of what they are copied from.
    """
    import keras

    copies: dict[int, tuple[Any, Any]] = {}

    def called(operation: Any) -> Callable[..., Any]:
        if isinstance(operation, keras.Sequential):
            return lambda x, **_: reduce(lambda y, layer: called(layer)(y), operation.layers, x)
        if isinstance(operation, keras.Model):
            return lambda x, **_: operation._run_through_graph(x, called)
        if id(operation) not in copies:
            copies[id(operation)] = (operation, copy(operation))
        copied: Callable[..., Any] = copies[id(operation)][1]
        return copied

    rebuilt = keras.Model(image, called(model)(scaled), name=model.name)
    for original, copied in copies.values():
        if isinstance(copied, keras.Layer):
            weights = [
                given.astype(one.dtype) for given, one in zip(original.get_weights(), copied.weights, strict=False)
            ]
            # The logits have a bias even where the dense layer that they come from has none.
            added = [np.zeros(weight.shape, np.float32) for weight in copied.weights[len(weights) :]]
            copied.set_weights([*weights, *added])
    return rebuilt


def _copied(operation: Any, **changes: Any) -> Any:
    configuration = {**operation.get_config(), **changes}
    if "dtype" in configuration:
        configuration["dtype"] = "float32"
    return operation.__class__.from_config(configuration)


def _normalisation(layer: Any, name: str) -> Any:
    """What an adapted Normalization layer computes; its mean and variance are no weights that a graph could read."""
    import keras

    mean = np.asarray(layer.mean, np.float64)
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float64)), keras.config.epsilon())
    if mean.size > mean.shape[-1]:
        raise ForeignModelError(f"The layer {layer.name!r} normalises every position for itself. Let it do channels.")
    scale, offset = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    return keras.layers.Rescaling(scale.ravel().tolist(), offset.ravel().tolist(), name=name)


def _unchanged(tensor: Any, **_: Any) -> Any:
    return tensor


def _maker(tensor: Any) -> Any:
    """The operation whose output `tensor` is."""
    return tensor._keras_history.operation


def _activation(operation: Any) -> str:
    return str(getattr(getattr(operation, "activation", None), "__name__", "linear"))


def _is_softmax(operation: Any) -> bool:
    """Whether an operation is a softmax over the last axis and nothing else."""
    import keras

    if isinstance(operation, keras.layers.Activation):
        return _activation(operation) == "softmax"
    return operation.__class__.__name__ == "Softmax" and operation.get_config().get("axis", -1) in (-1, 1)


def _last_dense(operation: Any, softmax: Any) -> Any:
    """`operation` where it is the dense layer that makes the logits."""
    import keras

    allowed = ("linear", "softmax") if softmax is None else ("linear",)
    if isinstance(operation, keras.layers.Dense) and _activation(operation) in allowed:
        return operation
    kind = operation.__class__.__name__
    if isinstance(operation, keras.layers.Activation | keras.layers.Dense):
        kind += f" with activation {_activation(operation)}"
    raise ForeignModelError(
        f"The model ends in {operation.name!r} ({kind}), from which there is no exact way to one logit for each class. "
        "Let it end in a Dense layer with one unit for each class, with softmax or without activation."
    )


def _feature_map(flat: keras.Model, embedding: Any) -> Any:
    """The operation whose output is the last feature map: after the first convolution, larger than one position."""
    import keras

    maps = [operation for operation in flat.operations if _is_map(operation)]
    convolved = [index for index, operation in enumerate(maps) if _convolves(operation)]
    maps = maps[convolved[0] :] if convolved else []
    if isinstance(embedding, keras.layers.GlobalAveragePooling2D) and _maker(embedding.input) in maps:
        return _maker(embedding.input)
    if not maps:
        raise ForeignModelError(
            "The model has no feature map, a layer after a convolution whose output has height and width, and the "
            "heatmaps are made of one. Bring a convolutional network."
        )
    last = maps[-1]
    pooling = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.Dropout)
    while isinstance(last, pooling) and _maker(last.input) in maps:
        last = _maker(last.input)
    return last


def _is_map(operation: Any) -> bool:
    shape: tuple[int, ...] = getattr(operation.output, "shape", ())
    return len(shape) == 4 and shape[1] > 1 and shape[2] > 1


def _convolves(operation: Any) -> bool:
    return any(len(weight.shape) > 2 for weight in getattr(operation, "weights", ()))

"""Making a bundle of a third party's Keras model, after checking that it does what the model does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from model.bundle import Card, ModelBundle, load_bundle, write_card
from model.bundle_writer import INTENDED_USE, PACKAGES, PREPROCESSING, write_network
from model.flattening import ends_in_softmax, flattened, with_logits
from model.images import prepare
from model.keras_file import ForeignModelError, load_keras_file
from model.keras_model import round_to_stored
from model.phantoms import SAMPLES, sample
from model.prediction import Predictor

if TYPE_CHECKING:
    import keras

CODE = re.compile(r"\w[\w-]{0,30}", re.ASCII)
# How far two ways of computing the same network may differ in a probability.
SAME = 1e-3
# How far rounding the kernels to half precision may move a probability.
ROUNDED = 0.02
LICENCE = "Unknown: the model's owner decides how it may be used."


@dataclass(frozen=True, eq=False)
class ImportedModel:
    """A bundle made of a third party's model, and what was found on the way.

    `rounding` is the largest change of a probability by storing kernels in half precision, on `probes` images;
    `had_softmax` tells whether a softmax was taken away, and if not, the model's outputs were taken for logits.
    """

    bundle: ModelBundle
    parameters: int
    rounding: float
    probes: int
    had_softmax: bool


def import_model(
    path: Path,
    folder: Path,
    classes: Sequence[str],
    size: int,
    *,
    scale: float = 1.0,
    offset: float = 0.0,
    name: str | None = None,
) -> ImportedModel:
    """Make a bundle in `folder`, which must not exist yet, of the Keras model in the file `path`.

    The model takes RGB images (n, size, size, 3) of values in [0, 255] times `scale` plus `offset`, and has one output
    for each of `classes`, in this order. The bundle is not calibrated: its temperature is 1 and its class prior even,
    so that a case is called the most probable class. Raises ForeignModelError when the model cannot be brought.
    """
    _check_wishes(classes, size, folder)
    model = load_keras_file(path)
    _check_ends(model, len(classes), size)
    flat = _flattened(model, size, scale, offset)
    probes = _probes(size)
    had_softmax = ends_in_softmax(flat)
    network = with_logits(flat)
    said = _called(model, probes * np.float32(scale) + np.float32(offset))
    exact = softmax(_called(network, probes), axis=1)
    if not np.isfinite(said).all():
        raise ForeignModelError(f"The model in {path.name} gives values that are no numbers: its weights are damaged.")
    _check_same(said if had_softmax else softmax(said, axis=1), exact, SAME, "rebuilding its layers")
    round_to_stored(network)
    rounded = softmax(_called(network, probes), axis=1)
    rounding = _check_same(exact, rounded, ROUNDED, "storing its kernels in half precision")
    card = Card(
        name=name or path.stem,
        network=_network_name(model),
        classes=tuple(classes),
        size=size,
        temperature=1.0,
        class_prior=(1 / len(classes),) * len(classes),
        preprocessing=PREPROCESSING + _scaling(scale, offset),
        training={"imported_from": path.name},
        versions={package: version(package) for package in PACKAGES},
        licence=LICENCE,
        intended_use=INTENDED_USE,
    )
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        write_card(part, card)
        _write_network(part, network)
        served = softmax(Predictor(load_bundle(part)).logits(probes), axis=1)
        _check_same(rounded, served, SAME, "converting it to ONNX")
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return ImportedModel(load_bundle(folder), network.count_params(), rounding, len(probes), had_softmax)


def _check_wishes(classes: Sequence[str], size: int, folder: Path) -> None:
    for code in classes:
        if not CODE.fullmatch(code):
            raise ForeignModelError(
                f"A class is named by letters a to z, digits, _ and -, up to 31 of them, not {code!r}."
            )
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise ForeignModelError(f"A model has two classes or more, each named once, not {', '.join(classes)}.")
    if not 32 <= size <= 1024:
        raise ForeignModelError(f"The input size is 32 to 1024 pixels, not {size}.")
    if folder.exists():
        raise ForeignModelError(f"{folder} exists already. Give another --out, or remove it.")


def _check_ends(model: keras.Model, classes: int, size: int) -> None:
    """Refuse a model that does not take one square RGB image and give one number for each class."""
    try:
        inputs, outputs = model.inputs or [], model.outputs or []
    except (AttributeError, ValueError):
        inputs, outputs = [], []
    if not inputs:
        raise ForeignModelError("The model does not know its input. Begin it with keras.Input and save it again.")
    if len(inputs) > 1:
        shapes = ", ".join(_shape(one) for one in inputs)
        raise ForeignModelError(f"The model has {len(inputs)} inputs ({shapes}). Bring one that takes an image alone.")
    if len(outputs) != 1:
        raise ForeignModelError(f"The model has {len(outputs)} outputs. Bring keras.Model(inputs, one of the outputs).")
    shape = inputs[0].shape
    if len(shape) != 4 or shape[3] != 3:
        raise ForeignModelError(f"The model takes {_shape(inputs[0])}, not RGB images of height × width × 3.")
    sides = {side for side in shape[1:3] if side is not None}
    if len(sides) > 1:
        raise ForeignModelError(f"The model takes images of {_shape(inputs[0])}; only square ones can be brought.")
    if sides - {size}:
        side = sides.pop()
        raise ForeignModelError(f"The model takes images of {side} × {side} pixels: give --size {side}, not {size}.")
    units = outputs[0].shape
    if len(units) != 2:
        raise ForeignModelError(f"The model gives {_shape(outputs[0])} for an image, not one number for each class.")
    if units[1] == 1:
        raise ForeignModelError(
            "The model has a single output. Rebuild its end as two units with softmax, one for each class."
        )
    if units[1] != classes:
        raise ForeignModelError(f"The model has {units[1]} outputs, but --classes names {classes}. Name them in order.")


def _flattened(model: keras.Model, size: int, scale: float, offset: float) -> keras.Model:
    import keras

    kinds = [layer for layer in model._flatten_layers() if getattr(layer, "data_format", None) == "channels_first"]
    if kinds:
        raise ForeignModelError(
            f"The layer {kinds[0].name!r} puts channels first, which does not run on a CPU. Rebuild it channels last."
        )
    if not isinstance(model, keras.Sequential) and not hasattr(model, "_run_through_graph"):
        raise ForeignModelError("The model is a class of its own. Rebuild it with keras.Sequential or keras.Model.")
    try:
        return flattened(model, size, scale, offset)
    # Layers check their inputs in as many ways as there are layers.
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise ForeignModelError(f"The model cannot be rebuilt for {size} × {size} pixels: {reason}") from error


def _scaling(scale: float, offset: float) -> str:
    return "" if (scale, offset) == (1, 0) else f" The model was given them times {scale:g} plus {offset:g}."


def _network_name(model: keras.Model) -> str:
    """The names of the networks inside of a model, which say more than that of what was put around them, or its own."""
    import keras

    return " + ".join(layer.name for layer in model.layers if isinstance(layer, keras.Model)) or str(model.name)


def _probes(size: int) -> NDArray[np.float32]:
    """Images on which two ways of computing a network are compared: two phantoms, and noise."""
    drawn = [prepare(sample(name).image, size) for name in list(SAMPLES)[:2]]
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    return np.stack([*drawn, noise]).astype(np.float32)


def _called(model: keras.Model, images: NDArray[np.float32]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(model(images, training=False), np.float64)
    return values


def _check_same(before: NDArray[Any], after: NDArray[Any], limit: float, what: str) -> float:
    """The largest difference of two sets of probabilities; raises ForeignModelError where it is beyond `limit`."""
    difference = float(np.abs(before - after).max())
    if not difference <= limit:
        raise ForeignModelError(
            f"The model cannot be brought unchanged: {what} moves a probability by {difference:.3f}. Report it with "
            "the model's architecture (model.to_json())."
        )
    return difference


def _write_network(folder: Path, network: keras.Model) -> None:
    try:
        write_network(folder, network)
    # tf2onnx says in many ways that it does not know an operation.
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise ForeignModelError(f"The model cannot be converted to ONNX: {reason}") from error


def _shape(tensor: Any) -> str:
    return " × ".join("any" if side is None else str(side) for side in tensor.shape[1:])

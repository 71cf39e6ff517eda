"""Does a map depend on what the network has learnt? Cascading randomisation (Adebayo et al. 2018, arXiv:1810.03292).

Stage by stage, from the logits down to the image, the weights are randomised; a method whose map stays the same
explains the image and not the network. A stage is a run of layers with outputs of the same size.

Departure: a layer's weights are shuffled within each tensor instead of drawn anew. The distribution stays, so that
activations neither vanish nor explode and only what was learnt is lost. Quantus (Hedström et al. 2023) shuffles too,
but along a tensor's first axis alone, which leaves most of a convolution's filters as they were.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.rank_correlation import rank_correlation
from explain import explain
from explain.methods import METHODS
from model.atomic import write_atomically
from model.bundle import ARCHITECTURE_FILE, CARD_FILE, ONNX_FILE, WEIGHTS_FILE, ModelBundle, load_bundle
from model.keras_model import load_keras
from model.prediction import Predictor

if TYPE_CHECKING:
    import keras

SANITY_FILE = "sanity.json"
PASSES_BELOW = 0.5
# What the names of images begin with that were drawn by a computer.
DRAWN = "phantom "
# Resamples of fewer images hardly vary: an interval of two would be their range.
FEWEST_IMAGES = 5
WORDS = {True: "passes", False: "fails", None: "in doubt"}


class SanityError(ValueError):
    """What is known of a model's methods cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Stage:
    """Layers with weights that are randomised together, by name; `label` is the size of their outputs."""

    label: str
    layers: tuple[str, ...]


@dataclass(frozen=True)
class MethodSanity:
    """How a method's maps keep to the trained network's: mean Spearman correlations over images after every stage.

    `signed` is that of the maps as they are, `absolute` that of their absolute values; both in [-1, 1], with 95 %
    intervals over lesions. `images` names the images, each of another lesion. `outdated` says that it was measured on
    other weights than the bundle has now, and so says nothing of them.
    """

    stages: tuple[str, ...]
    signed: tuple[Estimate, ...]
    absolute: tuple[Estimate, ...]
    images: tuple[str, ...]
    outdated: bool = False

    @property
    def deciding(self) -> Estimate:
        """With no trained weight left, the larger of the two correlations.

        The signed maps are what is shown; but where signs are noise, only the absolute values show what stays.
        """
        return max(self.signed[-1], self.absolute[-1], key=lambda one: one.value)

    @property
    def passes(self) -> bool | None:
        """Whether the deciding correlation is below 0.5: the rankings share less than a quarter of their variance.

        None where the interval leaves it open, or rests on fewer than FEWEST_IMAGES.
        """
        last = self.deciding
        if len(self.images) < FEWEST_IMAGES:
            return None
        return None if last.low < PASSES_BELOW <= last.high else last.value < PASSES_BELOW


def sanity(
    method: str,
    bundle: ModelBundle,
    images: Mapping[str, NDArray[np.uint8]],
    on_progress: Callable[[int, int], None] | None = None,
) -> MethodSanity:
    """Randomise the network of `bundle` stage by stage and compare the maps of `method` on `images`.

    Images are RGB of any size, by name, each of another lesion. The called class is explained. Every image has its own
    random networks, seeded by its position, since one random network may by chance be like the trained one: the
    intervals hold both kinds of chance. Costs (stages + 1) · images runs of the method; needs TensorFlow.
    `on_progress` is told how many runs of how many are done.
    """
    trained = Predictor(bundle)
    cascade = stages(load_keras(bundle))
    total = len(images) * (len(cascade) + 1)
    signed, absolute = np.zeros((2, len(images), len(cascade)))
    for position, image in enumerate(images.values()):
        target = trained.predict(image).predicted
        reference = explain(image, trained, method, target).values
        for depth in range(len(cascade)):
            randomised_layers = [name for stage in cascade[: depth + 1] for name in stage.layers]
            with randomised(bundle, randomised_layers, seed=position) as predictor:
                values = explain(image, predictor, method, target).values
            signed[position, depth] = rank_correlation(values, reference)
            absolute[position, depth] = rank_correlation(np.abs(values), np.abs(reference))
            if on_progress is not None:
                on_progress(position * (len(cascade) + 1) + depth + 2, total)
    return MethodSanity(
        tuple(stage.label for stage in cascade),
        _means(signed),
        _means(absolute),
        tuple(images),
    )


def stages(model: keras.Model) -> list[Stage]:
    """The stages of a network from the logits down: its layers with weights, grouped by the size of their output.

    Each dense layer has a size of its own and is a stage of its own, unless neighbours are as wide.
    """

    def size(layer: keras.layers.Layer) -> tuple[int, ...]:
        shape = layer.output.shape[1:]
        return tuple(shape[:-1] if len(shape) > 1 else shape)

    def label(layers: Sequence[keras.layers.Layer]) -> str:
        extent = size(layers[-1])
        return layers[0].name if len(extent) == 1 else " × ".join(map(str, extent))

    weighted = [layer for layer in model.layers if layer.weights]
    groups = [list(layers) for _, layers in groupby(reversed(weighted), key=size)]
    return [Stage(label(layers), tuple(layer.name for layer in layers)) for layers in groups]


@contextmanager
def randomised(bundle: ModelBundle, layers: Sequence[str], seed: int) -> Iterator[Predictor]:
    """A predictor of the network with the weights of `layers` shuffled, in a bundle of its own that is deleted after.

    The serving graph and the architecture are those of `bundle`, and both read the weights from one file, so that every
    method, through ONNX Runtime or TensorFlow, sees the same randomised network. A layer's shuffle depends on its name
    and `seed` only: it stays the same while more layers are randomised.
    """
    from safetensors.numpy import load_file, save_file

    weights = load_file(bundle.weights_path)
    for path in weights:
        if path.split("/", 1)[0] in layers:
            random = np.random.default_rng([seed, *path.encode()])
            weights[path] = random.permutation(weights[path].ravel()).reshape(weights[path].shape)
    with tempfile.TemporaryDirectory(prefix="lesionlens-randomised-") as folder:
        for name in (ARCHITECTURE_FILE, CARD_FILE, ONNX_FILE):
            shutil.copyfile(bundle.path / name, Path(folder) / name)
        save_file(weights, Path(folder) / WEIGHTS_FILE)
        yield Predictor(load_bundle(folder))


def read_sanity(bundle: ModelBundle) -> dict[str, MethodSanity]:
    """What `lesionlens sanity` has found about each method on this model, by its code; empty where it has not run.

    Where the bundle's weights have changed since, each is marked as outdated. Raises SanityError for a file that it did
    not write.
    """
    path = bundle.path / SANITY_FILE
    if not path.is_file():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        outdated = stored["weights"] != bundle.weights_digest
        return {method: _restored(one, outdated) for method, one in stored["methods"].items() if method in METHODS}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise SanityError(f"{path} is not what `lesionlens sanity` writes; run it again.") from error


def write_sanity(bundle: ModelBundle, method: str, found: MethodSanity) -> None:
    """Keep what was found about a method with the bundle, atomically, beside what is known of others.

    What was measured on other weights than the bundle has now, and what is damaged, makes way.
    """
    try:
        known = {code: one for code, one in read_sanity(bundle).items() if not one.outdated}
    except SanityError:
        known = {}
    known[method] = found
    methods = {code: _stored(known[code]) for code in METHODS if code in known}
    content = {"weights": bundle.weights_digest, "methods": methods}
    write_atomically(bundle.path / SANITY_FILE, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _means(correlations: NDArray[np.float64]) -> tuple[Estimate, ...]:
    """The mean of correlations (images, stages) after every stage, with its interval over the images' lesions."""
    weights = lesion_weights(map(str, range(len(correlations))))
    return tuple(estimate(means) for means in (weights @ correlations / len(correlations)).T)


def _stored(found: MethodSanity) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "outdated"}


def _restored(stored: Mapping[str, Sequence[Any]], outdated: bool) -> MethodSanity:
    signed, absolute = (tuple(_estimate(one) for one in stored[name]) for name in ("signed", "absolute"))
    stages, images = (tuple(str(name) for name in stored[names]) for names in ("stages", "images"))
    if not 0 < len(stages) == len(signed) == len(absolute):
        raise ValueError("every stage has two correlations")
    return MethodSanity(stages, signed, absolute, images, outdated)


def _estimate(stored: Mapping[str, float]) -> Estimate:
    return Estimate(*(float(stored[end]) for end in ("value", "low", "high")))

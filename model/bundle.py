"""A model bundle: the folder that holds everything a model needs to be used, explained and judged."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from model.atomic import write_atomically
from model.dense_head import DenseHead, read_dense_head
from model.novelty import NOVELTY_FILE, NoveltyCheck, read_novelty

ARCHITECTURE_FILE = "architecture.json"
WEIGHTS_FILE = "weights.safetensors"
ONNX_FILE = "serving.onnx"
INT8_FILE = "serving_int8.onnx"
CARD_FILE = "card.json"
HISTORY_FILE = "history.csv"
LEARNT_FILE = "learnt_cases.parquet"
PREDICTIONS_FILE = "test_predictions.parquet"
# The folder of a bundle inside of the folder of its training.
TRAINED = "bundle"
SHIPPED = Path(__file__).parent / "weights"
DEFAULT_BUNDLE = SHIPPED / "efficientnet_lite0_lesion_fold0_192px"


class BundleError(ValueError):
    """A model bundle is incomplete or contradicts itself; the message says what is wrong."""


@dataclass(frozen=True)
class Card:
    """What is known of a model, as `card.json` holds it.

    `size` is the side of the square input in pixels; the graphs take float32 RGB in [0, 255] and scale it themselves.
    `class_prior` is each class's share of the training cases: a case is called the class whose calibrated probability
    is largest in proportion to its prior, which is the decision that maximises balanced accuracy. `temperature`
    divides the logits before the softmax (Guo et al. 2017), fitted on the validation part. `evaluation` says of which
    data an imported model keeps predictions (`lesionlens evaluate --keep`); a trained one keeps those of its test part.
    """

    name: str
    network: str
    classes: tuple[str, ...]
    size: int
    temperature: float
    class_prior: tuple[float, ...]
    preprocessing: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    intended_use: str = ""

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise BundleError(f"A card needs at least two distinct classes, not {list(self.classes)}.")
        if len(self.class_prior) != len(self.classes) or min(self.class_prior) <= 0:
            raise BundleError("A card needs one positive class prior for each class.")
        if self.size < 32 or self.temperature <= 0:
            raise BundleError("A card needs an input size of at least 32 pixels and a positive temperature.")

    @property
    def calibrated(self) -> bool:
        """Whether the temperature is fitted: not where the model was trained elsewhere and imported."""
        return "imported_from" not in self.training


@dataclass(frozen=True)
class LinearHead:
    """The last dense layer of a network that ends in global average pooling: logits = embedding @ kernel + bias.

    `kernel` is float32 (channels, classes), `bias` float32 (classes,).
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class ModelBundle:
    """A bundle on disk with its card; the heavy parts are opened by whoever needs them.

    With `int8` its serving graph is the quantised one.
    """

    path: Path
    card: Card
    int8: bool = False

    @property
    def architecture_path(self) -> Path:
        """The network's layers, as Keras writes them in JSON."""
        return self.path / ARCHITECTURE_FILE

    @property
    def weights_path(self) -> Path:
        """The network's weights: kernels in float16, vectors in float32."""
        return self.path / WEIGHTS_FILE

    @property
    def onnx_path(self) -> Path:
        """The serving graph for ONNX Runtime; its weights are those of `weights_path`, or inside it if quantised."""
        return self.path / (INT8_FILE if self.int8 else ONNX_FILE)

    @property
    def learnt_path(self) -> Path:
        """The image_id and lesion_id of every case that training or validation has seen."""
        return self.path / LEARNT_FILE

    @property
    def predictions_path(self) -> Path:
        """The predictions of the test part, or those that an imported model keeps."""
        return self.path / PREDICTIONS_FILE

    @cached_property
    def weights_digest(self) -> str:
        """The SHA-256 of the weights' file: what was measured on the weights holds for no others."""
        with self.weights_path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all that decides what the model says.

        That is the weights, the layers, the check for novelty, and the card's classes, size, temperature and prior.
        """
        card = self.card
        said = json.dumps([card.classes, card.size, card.temperature, card.class_prior])
        files = [path for path in (self.architecture_path, self.path / NOVELTY_FILE) if path.is_file()]
        parts = [self.weights_digest.encode(), said.encode(), *(path.read_bytes() for path in files)]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    @cached_property
    def layers(self) -> list[dict[str, Any]]:
        """The network's layers in the order in which they are computed, as Keras writes them in JSON."""
        architecture = json.loads(self.architecture_path.read_text(encoding="utf-8"))
        layers: list[dict[str, Any]] = architecture["config"]["layers"]
        return layers

    @cached_property
    def head(self) -> LinearHead | None:
        """The linear head, or None where the network does not end in global average pooling of its layer `features`
        and one dense layer.
        """
        embedding = next((layer for layer in self.layers if layer["name"] == "embedding"), None)
        if embedding is None or embedding["class_name"] != "GlobalAveragePooling2D":
            return None
        # Where a map of one position is pooled, `features` is an earlier layer and there are others between the two.
        [node] = embedding["inbound_nodes"]
        [pooled] = [given for given in (*node["args"], *node["kwargs"].values()) if isinstance(given, dict)]
        if pooled["config"]["keras_history"] != ["features", 0, 0]:
            return None
        with safe_open(self.weights_path, "numpy") as weights:
            kernel, bias = (weights.get_tensor(f"logits/{name}") for name in ("kernel", "bias"))
        return LinearHead(kernel.astype(np.float32), bias)

    @cached_property
    def dense_head(self) -> DenseHead | None:
        """The head of pooling, Flatten and dense layers, or None where other layers follow the layer `features`.

        Its kernels are kept in float32 for as long as the bundle is: 103 MB for `lesion_cnn` at 224 px.
        """
        with safe_open(self.weights_path, "numpy") as weights:
            return read_dense_head(self.layers, lambda path: weights.get_tensor(path).astype(np.float32))

    @cached_property
    def novelty_check(self) -> NoveltyCheck | None:
        """The check for images that are no dermatoscopy, or None where the bundle has none."""
        path = self.path / NOVELTY_FILE
        if not path.exists():
            return None
        try:
            return read_novelty(path)
        except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
            raise BundleError(f"{path} is not a check for images that are no dermatoscopy: {error}") from error


def load_bundle(path: Path | str, *, int8: bool = False) -> ModelBundle:
    """Open the bundle in folder `path`, with its quantised serving graph if `int8`.

    Raises BundleError when a part is missing or the card is not valid.
    """
    folder = Path(path)
    missing = [
        name for name in (CARD_FILE, ARCHITECTURE_FILE, WEIGHTS_FILE, ONNX_FILE) if not (folder / name).is_file()
    ]
    if missing and (folder / "model.keras").is_file():
        raise BundleError(
            f"{folder} is a model bundle of LesionLens 0.1, which kept its network in model.keras; this version reads "
            f"{ARCHITECTURE_FILE} and {WEIGHTS_FILE}. Train it again, or use the version that wrote it."
        )
    if missing:
        raise BundleError(f"{folder} is not a model bundle: it has no {', '.join(missing)}.")
    if int8 and not (folder / INT8_FILE).is_file():
        raise BundleError(
            f"{folder} has no {INT8_FILE}; `lesionlens export {folder} --format onnx-int8 --data PATH --out {folder}` "
            "makes it."
        )
    try:
        fields = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        card = Card(**{**fields, "classes": tuple(fields["classes"]), "class_prior": tuple(fields["class_prior"])})
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise BundleError(f"{folder / CARD_FILE} is not a valid card: {error}") from error
    return ModelBundle(folder, card, int8)


def folds(path: Path) -> tuple[Path, ...]:
    """The bundles beside bundle `path` whose names differ from its own in the fold alone, in order of fold.

    A bundle that `lesionlens train` wrote, `…_fold0_192px/bundle`, is named by its training's folder. `path` is one of
    them; they are the members of an ensemble.
    """
    path = path.resolve()
    training = path.parent if path.name == TRAINED else path
    inside = path.relative_to(training)
    pattern = re.sub(r"_fold\d+(?=_|$)", r"_fold(\\d+)", re.escape(training.name))
    found = [(re.fullmatch(pattern, other.name), other / inside) for other in training.parent.iterdir()]
    numbered = sorted((int(match[1]), other) for match, other in found if match is not None and match.groups())
    return tuple(other for _, other in numbered if (other / CARD_FILE).is_file()) or (path,)


def shipped_ensemble() -> tuple[Path, ...]:
    """The shipped bundles that make up the ensemble: those of the default's folds, in order of fold."""
    return folds(DEFAULT_BUNDLE)


def card_text(card: Card) -> str:
    """The content of card.json."""
    return json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"


def write_card(folder: Path, card: Card) -> None:
    """Write `card` as card.json into `folder`, atomically."""
    write_atomically(folder / CARD_FILE, card_text(card).encode())

"""A model bundle: the folder that holds everything a model needs to be used, explained and judged."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.atomic import write_atomically

KERAS_FILE = "model.keras"
ONNX_FILE = "serving.onnx"
CARD_FILE = "card.json"
HEAD_FILE = "head.npz"
HISTORY_FILE = "history.csv"
PREDICTIONS_FILE = "test_predictions.parquet"
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
    divides the logits before the softmax (Guo et al. 2017), fitted on the validation part.
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


@dataclass(frozen=True)
class LinearHead:
    """The last dense layer of a network that ends in global average pooling: logits = embedding @ kernel + bias.

    `kernel` is float32 (channels, classes), `bias` float32 (classes,).
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class ModelBundle:
    """A bundle on disk with its card; the heavy parts are opened by whoever needs them."""

    path: Path
    card: Card

    @property
    def keras_path(self) -> Path:
        """The Keras model: float32 images in, logits out."""
        return self.path / KERAS_FILE

    @property
    def onnx_path(self) -> Path:
        """The serving graph for ONNX Runtime."""
        return self.path / ONNX_FILE

    @property
    def predictions_path(self) -> Path:
        """The predictions of the test part."""
        return self.path / PREDICTIONS_FILE

    @cached_property
    def head(self) -> LinearHead | None:
        """The linear head, or None where the network does not end in global average pooling and one dense layer."""
        path = self.path / HEAD_FILE
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return LinearHead(arrays["kernel"], arrays["bias"])


def load_bundle(path: Path | str) -> ModelBundle:
    """Open the bundle in folder `path`; raises BundleError when a part is missing or the card is not valid."""
    folder = Path(path)
    missing = [name for name in (CARD_FILE, ONNX_FILE, KERAS_FILE) if not (folder / name).is_file()]
    if missing:
        raise BundleError(f"{folder} is not a model bundle: it has no {', '.join(missing)}.")
    try:
        fields = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
        card = Card(**{**fields, "classes": tuple(fields["classes"]), "class_prior": tuple(fields["class_prior"])})
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise BundleError(f"{folder / CARD_FILE} is not a valid card: {error}") from error
    return ModelBundle(folder, card)


def write_card(folder: Path, card: Card) -> None:
    """Write `card` as card.json into `folder`, atomically."""
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CARD_FILE, text.encode())

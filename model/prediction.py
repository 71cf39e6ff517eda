"""Prediction with ONNX Runtime: logits, last feature map and embedding of prepared images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.special import softmax

from model.bundle import ModelBundle
from model.images import prepare


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the serving graph gives for n images, all float32.

    `logits` (n, classes); `features` (n, height, width, channels), the last feature map; `embedding` (n, dimensions).
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    embedding: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says of one image: `logits` (classes,), calibrated `probabilities` (classes,), `embedding`."""

    classes: tuple[str, ...]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    embedding: NDArray[np.float32]
    predicted: str


class Predictor:
    """Runs a bundle's serving graph; safe to share between threads."""

    def __init__(self, bundle: ModelBundle) -> None:
        self.bundle = bundle
        self._session = onnxruntime.InferenceSession(str(bundle.onnx_path), providers=["CPUExecutionProvider"])

    def run(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> Outputs:
        """Run images of shape (n, size, size, 3), RGB in [0, 255], through the network as one batch."""
        names = ["logits", "features", "embedding"]
        return Outputs(*self._session.run(names, {"image": images.astype(np.float32, copy=False)}))

    def logits(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (n, classes) alone, for methods that evaluate many perturbed images."""
        logits: NDArray[np.float32] = self._session.run(["logits"], {"image": images.astype(np.float32, copy=False)})[0]
        return logits

    def predict(self, image: NDArray[np.uint8]) -> Prediction:
        """Predict one RGB image of any height and width, uint8 (height, width, 3)."""
        outputs = self.run(prepare(image, self.bundle.card.size)[np.newaxis])
        return self.prediction(outputs.logits[0], outputs.embedding[0])

    def prediction(self, logits: NDArray[np.float32], embedding: NDArray[np.float32]) -> Prediction:
        """Calibrate one image's logits (classes,) and call its class as the card says."""
        probabilities = calibrated_probabilities(logits, self.bundle.card.temperature)
        index = int(decide(probabilities, self.bundle.card.class_prior))
        return Prediction(self.bundle.card.classes, logits, probabilities, embedding, self.bundle.card.classes[index])


def calibrated_probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Softmax of logits (…, classes) divided by the temperature (Guo et al. 2017), float64 in [0, 1]."""
    probabilities: NDArray[np.float64] = softmax(logits.astype(np.float64) / temperature, axis=-1)
    return probabilities


def decide(probabilities: NDArray[np.float64], class_prior: Sequence[float] | NDArray[np.float64]) -> NDArray[np.intp]:
    """The index of the class whose probability is largest in proportion to its prior; probabilities (…, classes).

    Under calibrated probabilities this maximises balanced accuracy (Menon et al. 2021, logit adjustment with tau 1).
    """
    index: NDArray[np.intp] = np.argmax(probabilities / np.asarray(class_prior), axis=-1)
    return index


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices that cover range(count) in steps of `size`."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))

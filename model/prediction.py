"""Prediction with ONNX Runtime: logits, last feature map and embedding of prepared images."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.special import softmax

from model.bundle import ModelBundle
from model.images import prepare
from model.machine import usable_cores
from model.novelty import Novelty
from model.symmetries import symmetries
from model.uncertainty import Disagreement, entropy


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
    """What a model says of one image: `logits` (classes,), calibrated `probabilities` (classes,), `embedding`.

    `novelty` is the verdict of the check for images that are no dermatoscopy, or None where the model has none;
    `disagreement` is that of an ensemble's members.
    """

    classes: tuple[str, ...]
    logits: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    embedding: NDArray[np.float32]
    predicted: str
    novelty: Novelty | None = None
    disagreement: Disagreement | None = None

    @property
    def entropy(self) -> float:
        """The entropy of the probabilities in nats, from 0 (certain) to log(classes) (knows nothing)."""
        return float(entropy(self.probabilities))

    @property
    def relative_entropy(self) -> float:
        """The entropy as a share of the largest possible, log(classes); in [0, 1]."""
        return self.entropy / float(np.log(len(self.classes)))


class Predictor:
    """Runs a bundle's serving graph; safe to share between threads.

    A run takes every core that it may, or, with `threads`, so many: 1 is for callers that run several batches at once.
    """

    def __init__(self, bundle: ModelBundle, *, threads: int = 0) -> None:
        self.bundle = bundle
        options = onnxruntime.SessionOptions()
        # Left alone, ONNX Runtime starts a thread for each core of the machine, whether this process may use it or not;
        # two on one core wait for each other most of the time.
        restricted = usable_cores() < (os.cpu_count() or 1)
        options.intra_op_num_threads = threads or (usable_cores() if restricted else 0)
        self._session = onnxruntime.InferenceSession(str(bundle.onnx_path), options, providers=["CPUExecutionProvider"])

    def run(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> Outputs:
        """Run images of shape (n, size, size, 3), RGB in [0, 255], through the network as one batch."""
        names = ["logits", "features", "embedding"]
        return Outputs(*self._session.run(names, {"image": images.astype(np.float32, copy=False)}))

    def logits(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (n, classes) alone, for methods that evaluate many perturbed images."""
        logits: NDArray[np.float32] = self._session.run(["logits"], {"image": images.astype(np.float32, copy=False)})[0]
        return logits

    def predict(self, image: NDArray[np.uint8], *, tta: bool = False) -> Prediction:
        """Predict one RGB image of any height and width, uint8 (height, width, 3).

        With `tta` (test-time augmentation) the logits are averaged over the eight symmetries of the square, in one
        run. Logits and not probabilities: the views are one model's, on one scale, and their mean is the logit of the
        symmetric network, which the temperature then calibrates; a mean of probabilities would be less confident than
        the views are. The embedding, and with it the novelty, are those of the image as it stands.
        """
        prepared = prepare(image, self.bundle.card.size)
        outputs = self.run(symmetries(prepared) if tta else prepared[np.newaxis])
        logits, embedding = outputs.logits.mean(axis=0), outputs.embedding[0]
        card, check = self.bundle.card, self.bundle.novelty_check
        probabilities = calibrated_probabilities(logits, card.temperature)
        called = card.classes[int(decide(probabilities, card.class_prior))]
        novelty = None if check is None else check.novelty(prepared, embedding)
        return Prediction(card.classes, logits, probabilities, embedding, called, novelty)


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

"""Running a model over many cases: one row per case, with prediction and low-resolution Grad-CAM maps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from explain.gradcam import grad_cams
from model.atomic import write_atomically
from model.bundle import Card
from model.prediction import Predictor, batches, calibrated_probabilities, decide

BATCH = 32
KNOWN = ("image_id", "lesion_id", "diagnosis", "confirmation", "age", "sex", "site")


@dataclass(frozen=True, eq=False)
class NetworkAnswers:
    """What the network says of n images, all float32.

    `logits` (n, classes); `maps` (n, classes, height, width), the signed Grad-CAM maps; `embeddings` (n, dimensions).
    """

    logits: NDArray[np.float32]
    maps: NDArray[np.float32]
    embeddings: NDArray[np.float32]


def ask_network(
    predictor: Predictor, image_batches: Iterable[NDArray[np.uint8]], on_progress: Callable[[int], None] | None = None
) -> NetworkAnswers:
    """Run batches of prepared images, uint8 (n, size, size, 3), one after the other through the network.

    `on_progress` is told after each how many images are done.
    """
    logits: list[NDArray[np.float32]] = []
    maps: list[NDArray[np.float32]] = []
    embeddings: list[NDArray[np.float32]] = []
    done = 0
    for images in image_batches:
        outputs = predictor.run(images)
        logits.append(outputs.logits)
        embeddings.append(outputs.embedding)
        maps.append(grad_cams(predictor.bundle, images, outputs)[0])
        done += len(images)
        if on_progress is not None:
            on_progress(done)
    return NetworkAnswers(np.concatenate(logits), np.concatenate(maps), np.concatenate(embeddings))


def audit_cases(
    predictor: Predictor,
    cases: pd.DataFrame,
    images: NDArray[np.uint8],
    on_progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Predict `cases` from their prepared `images`, uint8 (n, size, size, 3), in the same order; `audited_table`."""
    return audited_table(predictor, cases, (images[part] for part in batches(len(cases), BATCH)), on_progress)


def audited_table(
    predictor: Predictor,
    cases: pd.DataFrame,
    image_batches: Iterable[NDArray[np.uint8]],
    on_progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Predict `cases` from batches of their prepared images, in the same order.

    The rows are those of `predicted_table` and hold `gradcam`: the signed Grad-CAM maps of all classes, float32, flat
    in the order class, height, width. `on_progress` is told how many cases are done.
    """
    answers = ask_network(predictor, image_batches, on_progress)
    table = predicted_table(predictor.bundle.card, cases, answers.logits)
    table["gradcam"] = pd.Series(list(answers.maps.reshape(len(cases), -1)))
    return table


def predicted_table(card: Card, cases: pd.DataFrame, logits: NDArray[np.float32]) -> pd.DataFrame:
    """What is known of the cases, `predicted`, and `logit_<code>` and `probability_<code>` of every class.

    Both are float32, the probabilities calibrated; `logits` is (cases, classes).
    """
    probabilities = calibrated_probabilities(logits, card.temperature)
    table = cases[list(KNOWN)].reset_index(drop=True)
    table["predicted"] = np.array(card.classes)[decide(probabilities, card.class_prior)]
    for index, code in enumerate(card.classes):
        table[f"logit_{code}"] = logits[:, index]
        table[f"probability_{code}"] = probabilities[:, index].astype(np.float32)
    return table


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, atomically."""
    buffer = BytesIO()
    table.to_parquet(buffer, index=False, compression="zstd")
    write_atomically(path, buffer.getvalue())

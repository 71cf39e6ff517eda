"""Running a model over many cases: one row per case, with prediction and low-resolution Grad-CAM maps."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from explain.gradcam import class_maps, gradient_maps
from model.atomic import write_atomically
from model.prediction import Predictor, batches, calibrated_probabilities, decide

BATCH = 32
KNOWN = ("image_id", "lesion_id", "diagnosis", "confirmation", "age", "sex", "site")


def audit_cases(
    predictor: Predictor,
    cases: pd.DataFrame,
    images: NDArray[np.uint8],
    on_progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Predict `cases` from their prepared `images`, uint8 (n, size, size, 3), in the same order.

    The rows hold what is known of a case, `predicted`, `logit_<code>` and `probability_<code>` of every class (float32,
    calibrated), and `gradcam`: the signed Grad-CAM maps of all classes, flat in the order class, height, width.
    `on_progress` is told how many cases are done.
    """
    card, head = predictor.bundle.card, predictor.bundle.head
    logits: list[NDArray[np.float32]] = []
    maps: list[NDArray[np.float32]] = []
    for part in batches(len(cases), BATCH):
        outputs = predictor.run(images[part])
        logits.append(outputs.logits)
        if head is None:
            maps.append(gradient_maps(predictor.bundle, images[part]))
        else:
            maps.append(class_maps(outputs, head))
        if on_progress is not None:
            on_progress(part.stop)
    every = np.concatenate(logits)
    probabilities = calibrated_probabilities(every, card.temperature)
    table = cases[list(KNOWN)].reset_index(drop=True)
    table["predicted"] = np.array(card.classes)[decide(probabilities, card.class_prior)]
    for index, code in enumerate(card.classes):
        table[f"logit_{code}"] = every[:, index]
        table[f"probability_{code}"] = probabilities[:, index].astype(np.float32)
    table["gradcam"] = pd.Series(list(np.concatenate(maps).reshape(len(cases), -1)))
    return table


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, atomically."""
    buffer = BytesIO()
    table.to_parquet(buffer, index=False, compression="zstd")
    write_atomically(path, buffer.getvalue())

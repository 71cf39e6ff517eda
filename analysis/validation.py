"""The predictions of a model's validation part, and what is fitted to them after training: the patient's fusion."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit import BATCH, KNOWN, write_table
from analysis.predictions import logits
from model.metadata import fit_fusion, write_fusion
from model.prediction import Predictor, batches
from model.splits import Split

VALIDATION_FILE = "validation_predictions.parquet"


def write_validation(predictor: Predictor, cases: pd.DataFrame, parts: Split, images: NDArray[np.uint8]) -> None:
    """Predict the validation part, fit the fusion with patient metadata, and write both into the model's bundle.

    `images`, uint8 (n, size, size, 3), are the prepared images of `cases`; of the test part nothing is looked at. Where
    nothing is known of any patient there is no fusion.
    """
    bundle = predictor.bundle
    rows = np.unique(parts.validation)  # `oversampled` repeats images
    table = validation_predictions(predictor, cases.iloc[rows], images[rows])
    write_table(bundle.path / VALIDATION_FILE, table)
    calibrated = logits(table, bundle.card.classes) / bundle.card.temperature
    fusion = fit_fusion(cases.iloc[parts.train], table, calibrated, bundle.card.classes)
    if fusion is not None:
        write_fusion(bundle.path, fusion)


def validation_predictions(predictor: Predictor, cases: pd.DataFrame, images: NDArray[np.uint8]) -> pd.DataFrame:
    """What is known of `cases`, and `logit_<code>` of every class (float32), from their prepared images in that order.

    `images` is uint8 (n, size, size, 3).
    """
    every = np.concatenate([predictor.logits(images[part]) for part in batches(len(cases), BATCH)])
    columns = {f"logit_{code}": every[:, index] for index, code in enumerate(predictor.bundle.card.classes)}
    return cases[list(KNOWN)].reset_index(drop=True).assign(**columns)

"""What the patient's age, sex and site add to the image, out-of-fold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.gains import Gain, paired_gain
from analysis.out_of_fold import OutOfFold
from analysis.predictions import logits
from model.bundle import Card
from model.metadata import MetadataFusion, read_fusion
from model.prediction import decide


@dataclass(frozen=True)
class MetadataGain:
    """The figures from the images alone, with the patients, and the gain: means over folds; and each fold's weight."""

    figures: Gain
    weights: tuple[float, ...]


def metadata_gain(predictions: OutOfFold, seed: int = 0) -> MetadataGain | None:
    """The gain of each fold's fusion on that fold's test part, or None unless every fold's bundle has one.

    The fusion of a fold has seen its training and validation parts only (`model.metadata`).
    """
    fusions = [read_fusion(bundle.path) for bundle in predictions.bundles]
    fitted = [fusion for fusion in fusions if fusion is not None]
    if len(fitted) < len(fusions):
        return None
    parts = [part for _, part in predictions.table.groupby("fold")]
    pairs = [
        (part, with_patients(part, bundle.card, fusion))
        for part, bundle, fusion in zip(parts, predictions.bundles, fitted, strict=True)
    ]
    return MetadataGain(paired_gain(pairs, predictions.classes, seed), tuple(fusion.weight for fusion in fitted))


def with_patients(table: pd.DataFrame, card: Card, fusion: MetadataFusion) -> pd.DataFrame:
    """A model's predictions with what is known of the patients fused: probabilities and called classes anew."""
    shares = fusion.probabilities(logits(table, card.classes), card.temperature, table)
    called = np.asarray(card.classes)[decide(shares, card.class_prior)]
    columns = {f"probability_{code}": shares[:, index] for index, code in enumerate(card.classes)}
    return table.assign(**columns, predicted=called, correct=table["diagnosis"] == called)

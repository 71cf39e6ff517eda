"""The three figures that models are compared by: balanced accuracy, macro AUC and melanoma AUC."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.areas import weighted_auc
from analysis.bootstrap import Estimate, estimate
from analysis.confusion import confusion_matrices
from analysis.metrics import balanced_accuracies
from analysis.predictions import probabilities
from analysis.shares import share

MELANOMA = "mel"


@dataclass(frozen=True)
class Headline:
    """The figures of one model, or the gain of one over another: a difference, positive where it is better."""

    balanced_accuracy: Estimate
    macro_auc: Estimate
    melanoma_auc: Estimate


def headline_values(table: pd.DataFrame, classes: Sequence[str], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """The three figures in every resample, float64 (3, resamples), in the order of `Headline`.

    Balanced accuracy is the mean recall of the called classes, macro AUC the mean of the areas of one class against the
    rest; a class without cases counts in neither (`analysis.metrics` gives the same).
    """
    scores = probabilities(table, classes)
    areas = np.full((len(classes), len(weights)), np.nan)
    for index, code in enumerate(classes):
        areas[index] = weighted_auc(scores[:, index], (table["diagnosis"] == code).to_numpy(bool), weights)
    melanoma = areas[list(classes).index(MELANOMA)] if MELANOMA in classes else np.full(len(weights), np.nan)
    macro = share(np.nansum(areas, axis=0), (~np.isnan(areas)).sum(axis=0))
    return np.stack([balanced_accuracies(confusion_matrices(table, classes, weights)), macro, melanoma])


def as_headline(values: NDArray[np.float64]) -> Headline:
    """Estimates from values (3, 1 + resamples), the first on all cases."""
    return Headline(*(estimate(row) for row in values))

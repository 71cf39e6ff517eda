"""How well a model tells each class, with 95 % intervals bootstrapped over lesions.

Definitions and numbers are scikit-learn's (`precision_recall_fscore_support` with `zero_division=nan`, `roc_auc_score`
one against the rest, `balanced_accuracy_score`): a figure that is not defined is NaN and left out of averages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.areas import weighted_auc, weighted_average_precision
from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.confusion import confusion_matrices
from analysis.predictions import probabilities
from analysis.shares import share


@dataclass(frozen=True)
class Scores:
    """Precision, recall, F1 and one-against-rest AUC of one class, or an average over classes."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    auc: Estimate


@dataclass(frozen=True)
class ClassMetrics:
    """The scores of one class, with its number of cases and of lesions in the test part.

    `average_precision` sums up the class's curve of precision against recall, one class against the rest.
    """

    code: str
    cases: int
    lesions: int
    scores: Scores
    average_precision: Estimate


@dataclass(frozen=True)
class Metrics:
    """Everything that the metrics page and `lesionlens evaluate` show of a table of predictions.

    `macro` averages the classes alike, `weighted` by their number of cases. `balanced_accuracy` is the mean recall of
    the classes, `chance_accuracy` what always calling the commonest class would reach.
    """

    cases: int
    lesions: int
    classes: tuple[ClassMetrics, ...]
    macro: Scores
    weighted: Scores
    accuracy: Estimate
    balanced_accuracy: Estimate
    chance_accuracy: float
    chance_balanced_accuracy: float


def evaluate(table: pd.DataFrame, classes: Sequence[str], seed: int = 0) -> Metrics:
    """Compute all metrics of a table of predictions (`analysis.predictions.read_predictions`)."""
    weights = lesion_weights(table["lesion_id"], seed=seed)
    matrices = confusion_matrices(table, classes, weights)
    support = matrices.sum(axis=2)
    auc, average_precision = one_against_rest(table, classes, weights)
    scores = np.stack([*precision_recall_f1(matrices), auc])
    counts = table["diagnosis"].value_counts()
    lesions = table.groupby("diagnosis")["lesion_id"].nunique()
    present = int((support[0] > 0).sum())
    return Metrics(
        cases=len(table),
        lesions=table["lesion_id"].nunique(),
        classes=tuple(
            ClassMetrics(
                code=code,
                cases=int(counts.get(code, 0)),
                lesions=int(lesions.get(code, 0)),
                scores=_scores(scores[:, :, index]),
                average_precision=estimate(average_precision[:, index]),
            )
            for index, code in enumerate(classes)
        ),
        macro=_scores(_average(scores, np.ones_like(support))),
        weighted=_scores(_average(scores, support)),
        accuracy=estimate(np.trace(matrices, axis1=1, axis2=2) / matrices.sum(axis=(1, 2))),
        balanced_accuracy=estimate(balanced_accuracies(matrices)),
        chance_accuracy=float(counts.max() / len(table)),
        chance_balanced_accuracy=1 / present,
    )


def precision_recall_f1(matrices: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Precision, recall and F1, each (resamples, classes), from matrices (resamples, true, predicted)."""
    right = np.diagonal(matrices, axis1=1, axis2=2)
    called, support = matrices.sum(axis=1), matrices.sum(axis=2)
    return share(right, called), share(right, support), share(2 * right, called + support)


def balanced_accuracies(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean recall of the classes that have cases, (resamples,), from matrices (resamples, true, predicted)."""
    recall = precision_recall_f1(matrices)[1]
    return _average(recall, np.ones_like(recall))


def one_against_rest(
    table: pd.DataFrame, classes: Sequence[str], weights: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUC and average precision of every class against all others by its probability, each (resamples, classes)."""
    scores = probabilities(table, classes).T
    positive = [(table["diagnosis"] == code).to_numpy(bool) for code in classes]
    auc = [weighted_auc(*pair, weights) for pair in zip(scores, positive, strict=True)]
    precision = [weighted_average_precision(*pair, weights) for pair in zip(scores, positive, strict=True)]
    return np.stack(auc, axis=1), np.stack(precision, axis=1)


def _average(scores: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average scores (…, classes) with weights `shares` (…, classes) over the classes where they are defined."""
    defined = ~np.isnan(scores)
    return share(np.where(defined, scores * shares, 0).sum(axis=-1), np.where(defined, shares, 0).sum(axis=-1))


def _scores(values: NDArray[np.float64]) -> Scores:
    """Estimates from values (scores, resamples) in the order of `Scores`."""
    return Scores(*(estimate(row) for row in values))

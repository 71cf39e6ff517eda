"""Curves behind the figures of merit: ROC, precision against recall, and the reliability diagram."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.predictions import probabilities

BINS = 15


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve, x and y float64 in [0, 1] with the `thresholds` on the score that give them.

    `baseline` is the y (precision) of a score that knows nothing; for a ROC curve that is the diagonal, NaN here.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    baseline: float = float("nan")


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin: `cases` with probabilities from `low` to `high`, their mean, and how often they came true."""

    cases: int
    low: float
    high: float
    probability: float
    frequency: Estimate


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram with its expected calibration error, in [0, 1].

    `perfect_error` is the mean error that a perfectly calibrated model with the same probabilities would show on as
    many cases by chance alone (consistency resampling, Bröcker and Smith 2007): what `error` is to be held against.
    """

    bins: tuple[ReliabilityBin, ...]
    error: Estimate
    perfect_error: float


def roc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Curve:
    """Sensitivity (y) against 1 - specificity (x), from scores (cases,) that are higher for positive cases."""
    from sklearn.metrics import roc_curve

    x, y, thresholds = roc_curve(positive, scores)
    return Curve(x, y, thresholds)


def precision_recall(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Curve:
    """Precision (y) against recall (x), without interpolation (Davis and Goadrich 2006)."""
    from sklearn.metrics import precision_recall_curve

    y, x, thresholds = precision_recall_curve(positive, scores, drop_intermediate=True)
    return Curve(x, y, np.append(thresholds, np.inf), float(positive.mean()))


def class_scores(
    table: pd.DataFrame, classes: Sequence[str], code: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability of `code` and whether it is the diagnosis, both (cases,): one class against the rest."""
    return probabilities(table, classes)[:, classes.index(code)], (table["diagnosis"] == code).to_numpy(bool)


def top_scores(table: pd.DataFrame, classes: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The largest probability of each case and whether that class is the diagnosis, both (cases,).

    This is the confidence whose calibration Guo et al. 2017 measure. The class called may be another one.
    """
    shares = probabilities(table, classes)
    top = np.asarray(classes)[shares.argmax(axis=1)]
    return shares.max(axis=1), np.asarray(table["diagnosis"].to_numpy(str) == top)


def reliability(
    scores: NDArray[np.float64],
    came_true: NDArray[np.bool_],
    lesions: Iterable[str],
    bins: int = BINS,
    seed: int = 0,
) -> Reliability:
    """How often what was said with a probability came true, in bins of equally many cases.

    The expected calibration error is the mean over cases of |frequency - mean probability| of their bin (Naeini et al.
    2015, equation 3, in the equal-mass bins of Nguyen and O'Connor 2015). `scores` and `came_true` are (cases,).
    """
    bins = min(bins, len(scores))
    members = np.array_split(np.argsort(scores, kind="stable"), bins)
    one_hot = np.zeros((len(scores), bins), np.float32)
    for index, rows in enumerate(members):
        one_hot[rows, index] = 1
    weights = lesion_weights(lesions, seed=seed)
    counts = (weights @ one_hot).astype(np.float64)
    said = (weights @ (one_hot * scores[:, np.newaxis].astype(np.float32))).astype(np.float64)
    happened = (weights @ (one_hot * came_true[:, np.newaxis])).astype(np.float64)
    frequencies = np.divide(happened, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return Reliability(
        bins=tuple(
            ReliabilityBin(
                len(rows),
                float(scores[rows].min()),
                float(scores[rows].max()),
                float(scores[rows].mean()),
                estimate(frequencies[:, index]),
            )
            for index, rows in enumerate(members)
        ),
        error=estimate(np.abs(happened - said).sum(axis=1) / weights.sum(axis=1)),
        perfect_error=_perfect_error(scores, one_hot, seed),
    )


def _perfect_error(scores: NDArray[np.float64], one_hot: NDArray[np.float32], seed: int) -> float:
    """Mean calibration error of outcomes drawn with exactly the probabilities `scores`, over 1000 draws."""
    outcomes = np.random.default_rng(seed).random((1000, len(scores))) < scores
    excess = outcomes.astype(np.float32) @ one_hot - scores @ one_hot
    return float(np.abs(excess).sum(axis=1).mean() / len(scores))

"""The confusion matrix: what is taken for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.shares import share

Normalisation = Literal["counts", "row", "column"]


@dataclass(frozen=True)
class Confusion:
    """One way of being wrong: `count` cases of `true` called `predicted`, which is `share` of the cases of `true`."""

    true: str
    predicted: str
    count: int
    share: float


def confusion_matrices(
    table: pd.DataFrame, classes: Sequence[str], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The confusion matrix of each resample, float64 (resamples, true, predicted), by `weights` (resamples, cases)."""
    codes = pd.Index(classes)
    true, called = (codes.get_indexer(pd.Index(table[column])) for column in ("diagnosis", "predicted"))
    cells = np.zeros((len(table), len(classes) ** 2), np.float32)
    cells[np.arange(len(table)), true * len(classes) + called] = 1
    return (weights @ cells).astype(np.float64).reshape(len(weights), len(classes), len(classes))


def confusion_matrix(table: pd.DataFrame, classes: Sequence[str]) -> NDArray[np.int64]:
    """Counts of cases, int64 (true, predicted), in the order of `classes`."""
    everything = np.ones((1, len(table)), np.float32)
    counts: NDArray[np.int64] = confusion_matrices(table, classes, everything)[0].astype(np.int64)
    return counts


def normalise(matrix: NDArray[np.int64], normalisation: Normalisation) -> NDArray[np.float64]:
    """The matrix as float64: its counts, or the shares of each row (true) or of each column (called).

    An empty row or column stays NaN: a share of nothing is not zero.
    """
    if normalisation == "counts":
        return matrix.astype(np.float64)
    return share(matrix, matrix.sum(axis=1 if normalisation == "row" else 0, keepdims=True))


def largest_confusions(matrix: NDArray[np.int64], classes: Sequence[str], count: int = 3) -> list[Confusion]:
    """The `count` cells off the diagonal with the most cases, largest first; empty cells are left out."""
    shares = normalise(matrix, "row")
    wrong = [
        Confusion(true, predicted, int(matrix[i, j]), float(shares[i, j]))
        for i, true in enumerate(classes)
        for j, predicted in enumerate(classes)
        if i != j and matrix[i, j] > 0
    ]
    return sorted(wrong, key=lambda confusion: -confusion.count)[:count]

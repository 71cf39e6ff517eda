"""Weighted linear regression on pairs of samples, and how much each pair moves it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """`coefficients` (columns,); `deviations` (pairs, columns): what each pair adds to their uncertainty.

    The deviations' sum of squares is the coefficients' variance, and their products the covariance. `fidelity` is the
    weighted R², 1 where the line passes through every sample.
    """

    coefficients: Matrix
    deviations: Matrix
    fidelity: float


def fit_pairs(design: Matrix, outcomes: Matrix, weights: Matrix, penalty: Matrix) -> Fit:
    """Ridge regression of `outcomes` (samples,) on `design` (samples, columns) with sample `weights` (samples,).

    `penalty` (columns,) is added to the diagonal of the normal equations. Samples 2i and 2i + 1 are a pair, drawn
    together, so that not a sample but a pair is what is left out in turn (the jackknife, Efron & Stein 1981,
    doi:10.1214/aos/1176345462); the regressions without it are had in closed form, by Woodbury's identity.
    """
    weighted = design * weights[:, np.newaxis]
    solved = np.linalg.solve(design.T @ weighted + np.diag(penalty), weighted.T).T
    coefficients = outcomes @ solved
    residuals = outcomes - design @ coefficients
    paired, influence = (matrix.reshape(-1, 2, design.shape[1]) for matrix in (design, solved))
    remainder = np.eye(2) - paired @ influence.transpose(0, 2, 1)
    left_out = np.linalg.solve(remainder, residuals.reshape(-1, 2, 1))
    moves = (influence * left_out).sum(axis=1)
    pairs = len(moves)
    deviations = np.sqrt((pairs - 1) / pairs) * (moves - moves.mean(axis=0))
    spread = outcomes - np.average(outcomes, weights=weights)
    unexplained, total = weights @ residuals**2, weights @ spread**2
    return Fit(coefficients, deviations, float(1 - unexplained / total) if total > 0 else 1.0)

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from explain.regression import fit_pairs

RANDOM = np.random.default_rng(0)
DESIGN = np.column_stack([np.ones(24), RANDOM.normal(size=(24, 3))])
OUTCOMES = RANDOM.normal(size=24) + DESIGN[:, 1]
WEIGHTS = RANDOM.uniform(0.2, 1, 24)
PENALTY = np.array([0, 1.0, 1.0, 1.0])


def test_equal_to_scikit_learns_weighted_ridge() -> None:
    fit = fit_pairs(DESIGN, OUTCOMES, WEIGHTS, PENALTY)
    ridge = Ridge(alpha=1).fit(DESIGN[:, 1:], OUTCOMES, sample_weight=WEIGHTS)
    np.testing.assert_allclose(fit.coefficients, [ridge.intercept_, *ridge.coef_], rtol=1e-10)
    assert fit.fidelity == pytest.approx(ridge.score(DESIGN[:, 1:], OUTCOMES, sample_weight=WEIGHTS))


def test_deviations_are_those_of_leaving_each_pair_out_in_turn() -> None:
    without = []
    for pair in range(12):
        kept = np.arange(24) // 2 != pair
        without.append(fit_pairs(DESIGN[kept], OUTCOMES[kept], WEIGHTS[kept], PENALTY).coefficients)
    jackknife = 11 / 12 * ((np.array(without) - np.mean(without, axis=0)) ** 2).sum(axis=0)
    deviations = fit_pairs(DESIGN, OUTCOMES, WEIGHTS, PENALTY).deviations
    np.testing.assert_allclose((deviations**2).sum(axis=0), jackknife, rtol=1e-8)


def test_where_all_is_explained_nothing_is_uncertain() -> None:
    fit = fit_pairs(DESIGN, DESIGN @ [1, 2, 3, 4], WEIGHTS, np.zeros(4))
    np.testing.assert_allclose(fit.coefficients, [1, 2, 3, 4])
    np.testing.assert_allclose(fit.deviations, 0, atol=1e-12)
    assert fit.fidelity == pytest.approx(1)


def test_outcomes_that_are_all_the_same_are_explained() -> None:
    assert fit_pairs(DESIGN, np.zeros(24), WEIGHTS, PENALTY).fidelity == 1

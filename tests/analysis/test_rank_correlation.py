import numpy as np
import pytest
from scipy.stats import spearmanr

from analysis.rank_correlation import rank_correlation


def test_it_is_scipy_s_spearman_correlation_with_ties_and_without() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, 7, 9))
    tied = one.round()
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert rank_correlation(tied, other) == pytest.approx(spearmanr(tied.ravel(), other.ravel()).statistic)


def test_only_the_order_counts() -> None:
    values = np.array([[3.0, -1.0], [0.5, 8.0]])
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)


def test_constant_maps_agree_with_each_other_alone() -> None:
    constant, other = np.ones((2, 2)), np.arange(4.0).reshape(2, 2)
    assert rank_correlation(constant, 5 * constant) == 1
    assert rank_correlation(constant, other) == 0

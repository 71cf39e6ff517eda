import numpy as np
import pytest
from scipy.stats import spearmanr

from explain.settling import half_widths, rank_stability, sampled_rank_stability, settled


def test_an_interval_is_196_standard_errors_to_either_side() -> None:
    deviations = np.array([[0.3, 0.0], [0.4, 0.0]])
    np.testing.assert_allclose(half_widths(deviations), [1.96 * 0.5, 0])


def test_what_is_certain_has_settled_and_noise_has_not() -> None:
    values = np.arange(20.0)
    assert rank_stability(values, np.zeros((10, 20))) == 1
    wild = np.random.default_rng(1).normal(size=(10, 20)) * 1000
    assert abs(rank_stability(values, wild)) < 0.2


def test_regions_that_are_all_the_same_have_settled_only_if_that_is_certain() -> None:
    assert rank_stability(np.zeros(5), np.zeros((3, 5))) == 1
    assert rank_stability(np.zeros(5), np.eye(5)) == 0


@pytest.mark.parametrize(("noise", "within"), [(3, 0.02), (10, 0.05), (30, 0.05)])
def test_it_foretells_the_correlation_with_the_truth(noise: float, within: float) -> None:
    random = np.random.default_rng(2)
    truth = random.normal(size=50)

    def run() -> tuple[np.ndarray, np.ndarray]:
        parts = truth + random.normal(size=(100, 50)) * noise
        return parts.mean(axis=0), (parts - parts.mean(axis=0)) / 100

    foretold = np.mean([sampled_rank_stability(*run()) for _ in range(40)])
    found = np.mean([spearmanr(run()[0], truth).statistic for _ in range(40)])
    assert foretold == pytest.approx(found, abs=within)


def test_noise_alone_has_no_order_to_settle() -> None:
    random = np.random.default_rng(5)
    parts = random.normal(size=(20, 100, 50))
    assert np.mean([sampled_rank_stability(one.mean(axis=0), (one - one.mean(axis=0)) / 100) for one in parts]) < 0.3


def test_the_same_estimate_gives_the_same_answer() -> None:
    random = np.random.default_rng(3)
    values, deviations = random.normal(size=10), random.normal(size=(30, 10)) / 10
    assert rank_stability(values, deviations) == rank_stability(values, deviations)


def test_differences_that_nobody_could_see_are_ties() -> None:
    values = np.array([5.0, 3.0, *np.zeros(20)])
    dust = np.random.default_rng(4).normal(size=(30, 22)) / 1e6
    assert rank_stability(values + dust[0], dust) > 0.99
    assert rank_stability(dust[0] / 1e6, dust / 1e6) == 1


def test_a_regression_through_every_sample_has_not_settled() -> None:
    assert settled(0.96, 23, 22)
    assert not settled(0.96, 22, 22)
    assert not settled(0.94, 23, 22)

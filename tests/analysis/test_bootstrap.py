"""The bootstrap draws lesions, and its intervals are those that SciPy gives."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from analysis.bootstrap import estimate, lesion_weights


def test_images_of_one_lesion_are_drawn_together() -> None:
    lesions = ["a", "b", "a", "c", "b", "a"]
    weights = lesion_weights(lesions, resamples=50)
    assert weights.shape == (51, 6)
    np.testing.assert_array_equal(weights[0], 1)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 0], weights[:, 5])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    np.testing.assert_array_equal(weights[1:, [0, 1, 3]].sum(axis=1), 3)
    assert len(np.unique(weights[1:], axis=0)) > 5


def test_the_seed_decides_the_draws() -> None:
    lesions = [str(number) for number in range(30)]
    np.testing.assert_array_equal(lesion_weights(lesions, 5, seed=3), lesion_weights(lesions, 5, seed=3))
    assert (lesion_weights(lesions, 5, seed=3) != lesion_weights(lesions, 5, seed=4)).any()


def test_interval_equals_scipys_percentile_bootstrap() -> None:
    sample = np.random.default_rng(0).normal(10, 2, 200)
    weights = lesion_weights([str(number) for number in range(200)], resamples=4000)
    ours = estimate((weights @ sample) / weights.sum(axis=1))
    reference = bootstrap((sample,), np.mean, n_resamples=4000, method="percentile", rng=1).confidence_interval
    assert ours.value == pytest.approx(sample.mean(), rel=1e-6)
    assert ours.low == pytest.approx(reference.low, abs=0.03)
    assert ours.high == pytest.approx(reference.high, abs=0.03)


def test_more_images_of_the_same_lesions_do_not_narrow_the_interval() -> None:
    sample = np.random.default_rng(0).normal(0, 1, 100)
    lesions = [str(number) for number in range(100)]
    once = lesion_weights(lesions)
    thrice = lesion_weights(lesions * 3)
    alone = estimate((once @ sample) / once.sum(axis=1))
    repeated = estimate((thrice @ np.tile(sample, 3)) / thrice.sum(axis=1))
    assert repeated.low == pytest.approx(alone.low, abs=1e-6)
    assert repeated.high == pytest.approx(alone.high, abs=1e-6)


def test_undefined_resamples_are_left_out() -> None:
    values = np.array([0.5, np.nan, 0.4, 0.6])
    assert estimate(values).low == pytest.approx(0.405)
    assert np.isnan(estimate(np.array([np.nan, 0.1])).low)


def test_a_statistic_that_is_infinite_in_many_resamples_has_an_infinite_end() -> None:
    values = np.array([0.5, *np.linspace(0, 1, 90), *[np.inf] * 10])
    found = estimate(values)
    assert (found.value, found.high) == (0.5, np.inf)
    assert 0 < found.low < 0.1

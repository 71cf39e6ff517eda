"""Curves agree with their areas and with cases small enough to work out by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, roc_auc_score

from analysis.curves import class_scores, precision_recall, reliability, roc, top_scores
from model.classes import CODES


def test_area_under_the_roc_curve_is_the_auc(predictions: pd.DataFrame) -> None:
    scores, positive = class_scores(predictions, CODES, "mel")
    curve = roc(scores, positive)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_precision_and_recall_at_a_threshold(predictions: pd.DataFrame) -> None:
    scores, positive = class_scores(predictions, CODES, "mel")
    curve = precision_recall(scores, positive)
    middle = len(curve.x) // 2
    called = scores >= curve.thresholds[middle]
    assert curve.y[middle] == pytest.approx(positive[called].mean())
    assert curve.x[middle] == pytest.approx(called[positive].mean())
    assert curve.baseline == pytest.approx(positive.mean())
    steps = -(np.diff(curve.x) * curve.y[:-1]).sum()
    assert steps == pytest.approx(average_precision_score(positive, scores), abs=0.01)


def test_top_scores_are_of_the_most_probable_class(predictions: pd.DataFrame) -> None:
    scores, came_true = top_scores(predictions, CODES)
    shares = predictions[[f"probability_{code}" for code in CODES]]
    np.testing.assert_array_equal(scores, shares.max(axis=1))
    np.testing.assert_array_equal(came_true, shares.idxmax(axis=1) == "probability_" + predictions["diagnosis"])


def test_reliability_by_hand() -> None:
    scores = np.array([0.1, 0.3, 0.8, 0.6])
    came_true = np.array([False, True, True, True])
    diagram = reliability(scores, came_true, ["a", "b", "c", "d"], bins=2)
    assert [one.cases for one in diagram.bins] == [2, 2]
    assert [one.probability for one in diagram.bins] == pytest.approx([0.2, 0.7])
    assert [one.frequency.value for one in diagram.bins] == pytest.approx([0.5, 1.0])
    assert diagram.error.value == pytest.approx((2 * 0.3 + 2 * 0.3) / 4)


def test_reliability_equals_scikit_learn_in_equal_mass_bins(predictions: pd.DataFrame) -> None:
    scores, came_true = class_scores(predictions, CODES, "nv")
    frequency, probability = calibration_curve(came_true, scores, n_bins=10, strategy="quantile")
    diagram = reliability(scores, came_true, predictions["lesion_id"], bins=10)
    assert len(scores) % 10 == 0
    np.testing.assert_allclose([one.frequency.value for one in diagram.bins], frequency, atol=1e-12)
    np.testing.assert_allclose([one.probability for one in diagram.bins], probability, atol=1e-12)


def test_calibration_error_tells_a_calibrated_model_from_an_overconfident_one() -> None:
    random = np.random.default_rng(0)
    truth = random.random(6000)
    came_true = random.random(6000) < truth
    lesions = [str(number) for number in range(6000)]
    honest = reliability(truth, came_true, lesions)
    boasting = reliability(np.clip(truth * 1.6 - 0.3, 0, 1), came_true, lesions)
    assert honest.error.value == pytest.approx(honest.perfect_error, abs=0.01)
    assert boasting.error.low > 3 * boasting.perfect_error

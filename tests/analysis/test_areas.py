"""The fast sums over resamples equal what scikit-learn gives one resample at a time."""

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from analysis.areas import weighted_auc, weighted_average_precision
from analysis.bootstrap import lesion_weights


def test_auc_equals_scikit_learn_with_sample_weights_and_ties(predictions: pd.DataFrame) -> None:
    scores = predictions["probability_mel"].round(2).to_numpy()
    assert len(np.unique(scores)) < len(scores)
    positive = (predictions["diagnosis"] == "mel").to_numpy()
    weights = lesion_weights(predictions["lesion_id"], resamples=40)
    expected = [roc_auc_score(positive, scores, sample_weight=row) for row in weights]
    np.testing.assert_allclose(weighted_auc(scores, positive, weights), expected, rtol=0, atol=1e-12)


def test_auc_without_a_positive_is_not_a_number() -> None:
    scores, positive = np.array([0.1, 0.7, 0.4]), np.array([True, False, False])
    areas = weighted_auc(scores, positive, np.array([[0, 1, 1], [1, 0, 0], [1, 1, 1]], np.float32))
    np.testing.assert_array_equal(np.isnan(areas), [True, True, False])
    assert areas[2] == 0


def test_average_precision_equals_scikit_learn_with_sample_weights_and_ties(predictions: pd.DataFrame) -> None:
    scores = predictions["probability_mel"].round(2).to_numpy()
    positive = (predictions["diagnosis"] == "mel").to_numpy()
    weights = lesion_weights(predictions["lesion_id"], resamples=40)
    expected = [average_precision_score(positive, scores, sample_weight=row) for row in weights]
    np.testing.assert_allclose(weighted_average_precision(scores, positive, weights), expected, rtol=0, atol=1e-12)


def test_average_precision_without_a_positive_is_not_a_number() -> None:
    scores, positive = np.array([0.1, 0.7, 0.4]), np.array([True, False, False])
    areas = weighted_average_precision(scores, positive, np.array([[0, 1, 1], [1, 1, 0]], np.float32))
    np.testing.assert_array_equal(areas, [np.nan, 0.5])

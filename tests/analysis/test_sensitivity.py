"""Sensitivity at a specificity is the highest allowed point of scikit-learn's ROC curve, in every resample."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from analysis.bootstrap import lesion_weights
from analysis.sensitivity import weighted_sensitivity


def test_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    positive = np.array([True, False, True, False, True, False, False])
    weights = np.ones((1, 7), np.float32)
    at = {
        specificity: weighted_sensitivity(scores, positive, weights, specificity)[0] for specificity in (1, 0.75, 0.5)
    }
    assert at == pytest.approx({1: 1 / 3, 0.75: 2 / 3, 0.5: 1})


def test_tied_scores_are_called_together() -> None:
    scores, positive = np.array([0.5, 0.5, 0.1]), np.array([True, False, False])
    weights = np.ones((1, 3), np.float32)
    assert weighted_sensitivity(scores, positive, weights, 0.9)[0] == 0
    assert weighted_sensitivity(scores, positive, weights, 0.5)[0] == 1


def test_without_positives_or_negatives_there_is_none() -> None:
    scores, positive = np.array([0.5, 0.1]), np.array([True, False])
    weights = np.array([[1, 0], [0, 1]], np.float32)
    assert np.isnan(weighted_sensitivity(scores, positive, weights, 0.9)).all()


def test_every_resample_equals_scikit_learn() -> None:
    random = np.random.default_rng(0)
    positive = random.random(300) < 0.3
    scores = np.round(random.normal(positive, 1), 1)
    weights = lesion_weights([str(number // 2) for number in range(300)], resamples=20)
    found = weighted_sensitivity(scores, positive, weights, 0.9)
    for value, row in zip(found, weights, strict=True):
        alarms, sensitivity, _ = roc_curve(positive, scores, sample_weight=row, drop_intermediate=False)
        assert value == pytest.approx(sensitivity[alarms <= 0.1 + 1e-9].max(), abs=1e-6)

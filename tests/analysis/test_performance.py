"""What a model card says of predictions, by hand and by scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import confusion_matrix

from analysis.performance import calibration, performance, uncalibrated
from analysis.predictions import annotate, logits, probabilities
from model.classes import CODES
from tests.analysis.conftest import make_predictions


def test_melanomas_called_naevi_are_counted(predictions: pd.DataFrame) -> None:
    found = performance(predictions, CODES)
    matrix = confusion_matrix(predictions["diagnosis"], predictions["predicted"], labels=CODES)
    melanoma, naevus = CODES.index("mel"), CODES.index("nv")
    assert found.melanomas == matrix[melanoma].sum()
    assert found.melanomas_called_naevi == matrix[melanoma, naevus]
    share = matrix[melanoma, naevus] / matrix[melanoma].sum()
    assert found.melanomas_called_naevi_share.value == pytest.approx(share)
    assert found.confusions[0].count == (matrix - np.diag(np.diag(matrix))).max()


def test_uncalibrated_probabilities_are_those_of_temperature_one(predictions: pd.DataFrame) -> None:
    raw = uncalibrated(predictions, CODES)
    np.testing.assert_allclose(probabilities(raw, CODES), softmax(logits(predictions, CODES), axis=1), atol=1e-6)


def test_scaling_mends_overconfident_logits() -> None:
    table = make_predictions(3000)
    columns = [f"logit_{code}" for code in CODES]
    # The probabilities are the models' own; logits three times too large are what temperature 3 has mended.
    random = np.random.default_rng(0)
    shares = probabilities(table, CODES)
    table["diagnosis"] = [random.choice(CODES, p=row / row.sum()) for row in shares]
    table[columns] = 3 * table[columns]
    diagrams = calibration(annotate(table, CODES), CODES)
    assert diagrams.after.error.value < 2 * diagrams.after.perfect_error
    assert diagrams.before.error.low > diagrams.after.error.high

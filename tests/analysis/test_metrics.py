"""Every figure of merit equals scikit-learn's, on all cases and in a resample."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_recall_fscore_support, roc_auc_score

from analysis.bootstrap import lesion_weights
from analysis.confusion import confusion_matrices
from analysis.metrics import Estimate, Scores, evaluate, precision_recall_f1
from analysis.predictions import annotate, probabilities
from model.classes import CODES
from tests.analysis.conftest import make_predictions


def values(scores: Scores) -> list[float]:
    return [estimate.value for estimate in (scores.precision, scores.recall, scores.f1, scores.auc)]


def test_classes_equal_scikit_learn(predictions: pd.DataFrame) -> None:
    true, called = predictions["diagnosis"], predictions["predicted"]
    precision, recall, f1, support = precision_recall_fscore_support(true, called, labels=CODES, zero_division=np.nan)
    areas = roc_auc_score(true, probabilities(predictions, CODES), labels=CODES, multi_class="ovr", average=None)
    metrics = evaluate(predictions, CODES)
    assert [row.code for row in metrics.classes] == list(CODES)
    np.testing.assert_array_equal([row.cases for row in metrics.classes], support)
    np.testing.assert_allclose(
        [values(row.scores) for row in metrics.classes], np.stack([precision, recall, f1, areas], axis=1), atol=1e-12
    )


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_averages_equal_scikit_learn(predictions: pd.DataFrame, average: str) -> None:
    true, called = predictions["diagnosis"], predictions["predicted"]
    expected = precision_recall_fscore_support(true, called, labels=CODES, average=average, zero_division=np.nan)[:3]
    area = roc_auc_score(true, probabilities(predictions, CODES), labels=CODES, multi_class="ovr", average=average)
    metrics = evaluate(predictions, CODES)
    np.testing.assert_allclose(values(getattr(metrics, average)), [*expected, area], atol=1e-12)


def test_accuracies_equal_scikit_learn(predictions: pd.DataFrame) -> None:
    true, called = predictions["diagnosis"], predictions["predicted"]
    metrics = evaluate(predictions, CODES)
    assert metrics.accuracy.value == pytest.approx(accuracy_score(true, called), abs=1e-12)
    assert metrics.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(true, called), abs=1e-12)
    assert metrics.chance_accuracy == pytest.approx(accuracy_score(true, ["nv"] * len(true)))


def test_resamples_equal_scikit_learn_with_sample_weights(predictions: pd.DataFrame) -> None:
    weights = lesion_weights(predictions["lesion_id"], resamples=5)
    ours = precision_recall_f1(confusion_matrices(predictions, CODES, weights))
    for index, row in enumerate(weights):
        expected = precision_recall_fscore_support(
            predictions["diagnosis"], predictions["predicted"], labels=CODES, sample_weight=row, zero_division=np.nan
        )[:3]
        np.testing.assert_allclose([score[index] for score in ours], expected, atol=1e-6)


def test_a_class_never_called_has_no_precision_and_does_not_spoil_the_average() -> None:
    table = make_predictions()
    table.loc[table["predicted"] == "df", "predicted"] = "nv"
    metrics = evaluate(annotate(table, CODES), CODES)
    fibroma = metrics.classes[CODES.index("df")].scores
    assert np.isnan(fibroma.precision.value)
    assert fibroma.recall.value == 0
    expected = precision_recall_fscore_support(
        table["diagnosis"], table["predicted"], labels=CODES, average="macro", zero_division=np.nan
    )
    assert metrics.macro.precision.value == pytest.approx(expected[0], abs=1e-12)


def test_intervals_hold_their_value_and_repeat(predictions: pd.DataFrame) -> None:
    metrics = evaluate(predictions, CODES)
    estimates: list[Estimate] = [metrics.accuracy, metrics.balanced_accuracy, metrics.macro.auc, metrics.weighted.f1]
    for one in estimates:
        assert one.low < one.value < one.high
    assert astuple(evaluate(predictions, CODES)) == astuple(metrics)

"""The audit of a pair counts what a margin between two logits decides."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from analysis.pair import (
    PairError,
    alarm_cases,
    audit_pair,
    missed_cases,
    model_threshold,
    operating_point,
    operating_points,
)
from analysis.predictions import annotate
from model.classes import CODES
from model.prediction import calibrated_probabilities, decide
from tests.analysis.conftest import make_predictions


def pair_of(margins: list[float], true: list[str], confirmation: list[str] | None = None) -> pd.DataFrame:
    table = make_predictions(len(margins))
    logits = np.zeros(len(margins), np.float32)
    table = table.assign(logit_mel=np.asarray(margins, np.float32), logit_nv=logits, diagnosis=true)
    return annotate(table.assign(confirmation=confirmation or "histo"), CODES)


def test_cells_by_hand() -> None:
    audit = audit_pair(pair_of([2, -1, 1, -3, -2, 9], ["mel", "mel", "nv", "nv", "nv", "df"]), "mel", "nv")
    point = operating_point(audit, 0)
    assert (point.found, point.missed, point.alarms, point.cleared) == (1, 1, 1, 2)
    assert point.sensitivity.value == pytest.approx(1 / 2)
    assert point.specificity.value == pytest.approx(2 / 3)
    assert point.precision.value == pytest.approx(1 / 2)
    assert audit.auc.value == pytest.approx(5 / 6)


def test_a_margin_of_exactly_the_threshold_is_called() -> None:
    audit = audit_pair(pair_of([1, 0], ["mel", "nv"]), "mel", "nv")
    assert operating_point(audit, 1).found == 1


def test_rates_equal_scikit_learn(predictions: pd.DataFrame) -> None:
    audit = audit_pair(predictions, "bkl", "nv")
    for point in operating_points(audit, [-2, -0.5, 0, 1.5]):
        called = audit.margins >= point.threshold
        assert point.sensitivity.value == pytest.approx(recall_score(audit.positive, called))
        assert point.specificity.value == pytest.approx(recall_score(~audit.positive, ~called))
        assert point.precision.value == pytest.approx(precision_score(audit.positive, called))
        assert point.sensitivity.low <= point.sensitivity.value <= point.sensitivity.high
    assert audit.auc.value == pytest.approx(roc_auc_score(audit.positive, audit.margins), abs=1e-12)
    assert np.trapezoid(audit.curve.y, audit.curve.x) == pytest.approx(audit.auc.value, abs=1e-12)


def test_histology_only_leaves_the_others_out() -> None:
    table = pair_of([2, -1, 1, -3], ["mel", "mel", "nv", "nv"], ["histo", "histo", "follow_up", "histo"])
    point = operating_point(audit_pair(table, "mel", "nv", histology_only=True), 0)
    assert (point.found, point.missed, point.alarms, point.cleared) == (1, 1, 0, 1)


def test_errors_come_most_confident_first() -> None:
    audit = audit_pair(pair_of([-1, -4, 3, 2, 0.5, -5], ["mel", "mel", "mel", "nv", "nv", "nv"]), "mel", "nv")
    assert list(missed_cases(audit, 0)["margin"]) == [-4, -1]
    assert list(alarm_cases(audit, 0)["margin"]) == [2, 0.5]
    assert list(alarm_cases(audit, 1)["margin"]) == [2]


def test_the_models_threshold_is_where_its_decision_turns() -> None:
    prior = (0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02)
    turn = model_threshold(CODES, prior, 1.3, "mel", "nv")
    for margin, expected in ((turn + 1e-3, "mel"), (turn - 1e-3, "nv")):
        logits = np.full(len(CODES), -20, np.float32)
        logits[CODES.index("mel")], logits[CODES.index("nv")] = margin, 0
        assert CODES[int(decide(calibrated_probabilities(logits, 1.3), prior))] == expected


@pytest.mark.parametrize(
    ("code", "against", "histology", "message"),
    [("mel", "mel", False, "two classes"), ("mel", "df", False, "no case of df"), ("mel", "nv", True, "histology")],
)
def test_pairs_without_cases_are_refused(code: str, against: str, histology: bool, message: str) -> None:
    table = pair_of([1, -1], ["mel", "nv"], ["histo", "follow_up"])
    with pytest.raises(PairError, match=message):
        audit_pair(table, code, against, histology)

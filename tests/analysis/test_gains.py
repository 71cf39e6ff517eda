"""A gain is the difference of two figures on the same cases, and on the same resamples."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from analysis.gains import paired_gain
from analysis.predictions import annotate
from model.classes import CODES
from tests.analysis.conftest import make_predictions


def improved(table: pd.DataFrame) -> pd.DataFrame:
    """The same cases, every second one now certain and right."""
    half = np.arange(len(table)) % 2 == 0
    right = table["diagnosis"].to_numpy()[:, np.newaxis] == np.asarray(CODES)
    columns = [f"probability_{code}" for code in CODES]
    better = table.assign(predicted=np.where(half, table["diagnosis"], table["predicted"]))
    better[columns] = np.where(half[:, np.newaxis], right, table[columns])
    return annotate(better, CODES)


def test_the_gain_is_the_difference_of_the_figures(predictions: pd.DataFrame) -> None:
    better = improved(predictions)
    found = paired_gain([(predictions, better)], CODES)
    melanoma = predictions["diagnosis"] == "mel"
    areas = [roc_auc_score(melanoma, table["probability_mel"]) for table in (predictions, better)]
    assert found.without.melanoma_auc.value == pytest.approx(areas[0])
    assert found.with_option.melanoma_auc.value == pytest.approx(areas[1])
    assert found.gain.melanoma_auc.value == pytest.approx(areas[1] - areas[0])
    assert found.gain.balanced_accuracy.low > 0


def test_nothing_gained_has_an_interval_of_nothing(predictions: pd.DataFrame) -> None:
    gain = paired_gain([(predictions, predictions)], CODES).gain.macro_auc
    assert (gain.low, gain.value, gain.high) == (0, 0, 0)


def test_gains_are_averaged_over_pairs(predictions: pd.DataFrame) -> None:
    other = annotate(make_predictions(seed=1), CODES)
    parts = [paired_gain([pair], CODES) for pair in ((predictions, improved(predictions)), (other, improved(other)))]
    both = paired_gain([(predictions, improved(predictions)), (other, improved(other))], CODES)
    expected = np.mean([part.gain.macro_auc.value for part in parts])
    assert both.gain.macro_auc.value == pytest.approx(expected)


def test_other_cases_have_no_gain(predictions: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="same cases"):
        paired_gain([(predictions, predictions.iloc[1:])], CODES)

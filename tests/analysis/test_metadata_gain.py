"""The gain of patient metadata is measured on each fold's test part, by that fold's own fusion."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from analysis.metadata_gain import metadata_gain, with_patients
from analysis.out_of_fold import OutOfFold, read_out_of_fold
from analysis.predictions import logits, probabilities
from model.classes import CODES
from model.metadata import MetadataFusion, write_fusion
from tests.analysis.folds import TEMPERATURES, fold_bundles, fold_tables


def fusion(weight: float) -> MetadataFusion:
    """Women's lesions are melanomas a little more often."""
    effects = np.zeros((3, len(CODES)))
    effects[2, CODES.index("mel")] = 1.0
    return MetadataFusion(effects, weight, 50.0, 15.0, 0.5, (), np.zeros(0))


@pytest.fixture
def predictions(tmp_path: Path) -> OutOfFold:
    tables = fold_tables()
    for table in tables:
        table["sex"] = np.where(table["diagnosis"] == "mel", "female", "male")
    return read_out_of_fold(fold_bundles(tmp_path, tables))


def test_probabilities_and_calls_are_those_of_the_shifted_logits(predictions: OutOfFold) -> None:
    card = predictions.bundles[1].card
    table = predictions.table[predictions.table["fold"] == 1]
    fused = with_patients(table, card, fusion(2.0))
    shift = np.where(table["sex"] == "female", 1.0, -1.0)[:, np.newaxis] * (np.asarray(CODES) == "mel")
    expected = softmax(logits(table, CODES) / TEMPERATURES[1] + shift, axis=1)
    np.testing.assert_allclose(probabilities(fused, CODES), expected)
    assert list(fused["predicted"]) == list(np.asarray(CODES)[expected.argmax(axis=1)])


def test_the_gain_is_the_mean_over_folds(predictions: OutOfFold) -> None:
    for bundle in predictions.bundles:
        write_fusion(bundle.path, fusion(1.0))
    gain = metadata_gain(predictions)
    assert gain is not None
    assert gain.weights == (1.0,) * 5
    expected = []
    for fold, bundle in enumerate(predictions.bundles):
        table = predictions.table[predictions.table["fold"] == fold]
        both = (table, with_patients(table, bundle.card, fusion(1.0)))
        areas = [roc_auc_score(part["diagnosis"] == "mel", part["probability_mel"]) for part in both]
        expected.append(areas[1] - areas[0])
    assert gain.figures.gain.melanoma_auc.value == pytest.approx(np.mean(expected))
    assert gain.figures.gain.melanoma_auc.low > 0


def test_without_a_fusion_in_every_fold_there_is_no_gain(predictions: OutOfFold) -> None:
    for bundle in predictions.bundles[:4]:
        write_fusion(bundle.path, fusion(1.0))
    assert metadata_gain(predictions) is None

"""The gain and the cost of options, from tables of predictions that were made up so as to know both."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from analysis.options import EXTERNAL, TEST, option_gains
from analysis.out_of_fold import OutOfFold, read_out_of_fold
from analysis.predictions import PredictionsError
from model.classes import CODES
from tests.analysis.folds import fold_bundles, fold_tables


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> OutOfFold:
    return read_out_of_fold(fold_bundles(tmp_path_factory.mktemp("folds")))


def sharper(table: pd.DataFrame) -> pd.DataFrame:
    """Predictions that are a little more often right, in another order, in four times the time."""
    shares = table[[f"probability_{code}" for code in CODES]].to_numpy(np.float64)
    shares = shares + 0.2 * (table["diagnosis"].to_numpy()[:, np.newaxis] == np.array(CODES))
    shares /= shares.sum(axis=1, keepdims=True)
    columns = {f"probability_{code}": shares[:, index] for index, code in enumerate(CODES)}
    logits = {f"logit_{code}": np.log(shares[:, index]) for index, code in enumerate(CODES)}
    called = np.array(CODES)[shares.argmax(axis=1)]
    return table.assign(**columns, **logits, predicted=called, seconds=0.4).sample(frac=1, random_state=0)


def melanoma_auc(table: pd.DataFrame) -> float:
    return float(roc_auc_score(table["diagnosis"] == "mel", table["probability_mel"]))


def test_nothing_was_predicted_with_an_option(predictions: OutOfFold, tmp_path: Path) -> None:
    assert option_gains(predictions, tmp_path) == ()


def test_augmentation_is_measured_on_every_fold_s_own_test_part(predictions: OutOfFold, tmp_path: Path) -> None:
    tables = fold_tables()
    for fold, table in enumerate(tables):
        sharper(table).to_parquet(tmp_path / f"made_up_fold{fold}_test_tta.parquet")
    (found,) = option_gains(predictions, tmp_path)
    assert (found.option, found.data, found.models, found.cases) == ("Test-time augmentation", TEST, 5, 1000)
    assert found.figures.without.melanoma_auc.value == pytest.approx(np.mean([*map(melanoma_auc, tables)]), abs=1e-3)
    expected = np.mean([melanoma_auc(sharper(table)) for table in tables])
    assert found.figures.with_option.melanoma_auc.value == pytest.approx(expected, abs=1e-3)
    assert found.figures.gain.balanced_accuracy.low > 0
    assert found.calibration_with.value != found.calibration_without.value
    assert found.calibration_with.by_chance < found.calibration_with.value
    assert np.isnan(found.cost)  # a bundle's own test part does not say how long it took


def test_predictions_of_other_cases_are_refused(predictions: OutOfFold, tmp_path: Path) -> None:
    for fold, table in enumerate(fold_tables()):
        sharper(table).iloc[fold:].to_parquet(tmp_path / f"made_up_fold{fold}_test_tta.parquet")
    with pytest.raises(PredictionsError, match="are of different cases"):
        option_gains(predictions, tmp_path)


def test_the_ensemble_is_held_against_the_mean_of_its_members(predictions: OutOfFold, tmp_path: Path) -> None:
    external = fold_tables()[0].assign(seconds=0.1)
    for fold in range(5):
        external.to_parquet(tmp_path / f"isic2018_validation_made_up_fold{fold}.parquet")
    sharper(external).to_parquet(tmp_path / "isic2018_validation_ensemble.parquet")
    (found,) = option_gains(predictions, tmp_path)
    assert (found.option, found.data, found.models, found.cases) == ("Ensemble", EXTERNAL, 5, len(external))
    assert found.figures.without.melanoma_auc.value == pytest.approx(melanoma_auc(external), abs=1e-3)
    assert found.figures.gain.melanoma_auc.value > 0
    assert found.cost == pytest.approx(4)

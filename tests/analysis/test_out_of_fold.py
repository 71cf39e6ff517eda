"""Out-of-fold figures are those of scikit-learn on each fold and on all cases, and need a whole cross-validation."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from analysis.headline import headline_values
from analysis.metrics import evaluate
from analysis.out_of_fold import OutOfFold, OutOfFoldError, out_of_fold_figures, read_out_of_fold
from analysis.predictions import logits, probabilities
from model.classes import CODES
from model.splits import missed_duplicates
from tests.analysis.folds import TEMPERATURES, fold_bundles, fold_tables


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> OutOfFold:
    return read_out_of_fold(fold_bundles(tmp_path_factory.mktemp("folds")))


def test_every_case_is_there_once_with_its_folds_temperature(predictions: OutOfFold) -> None:
    table = predictions.table
    assert sorted(table["image_id"]) == sorted(pd.concat(fold_tables())["image_id"])
    scaled = logits(table, CODES) / np.asarray(TEMPERATURES)[table["fold"]][:, np.newaxis]
    np.testing.assert_allclose(probabilities(table, CODES), softmax(scaled, axis=1), atol=1e-6)


def test_the_mean_is_over_folds_and_the_pooled_figure_over_cases(predictions: OutOfFold) -> None:
    figures = out_of_fold_figures(predictions)
    balanced = [balanced_accuracy_score(part["diagnosis"], part["predicted"]) for part in fold_tables()]
    melanoma = [roc_auc_score(part["diagnosis"] == "mel", part["probability_mel"]) for part in fold_tables()]
    macro = [
        roc_auc_score(part["diagnosis"], probabilities(part, CODES), labels=CODES, multi_class="ovr")
        for part in fold_tables()
    ]
    assert figures.mean.balanced_accuracy.value == pytest.approx(np.mean(balanced))
    assert figures.mean.macro_auc.value == pytest.approx(np.mean(macro))
    assert figures.mean.melanoma_auc.value == pytest.approx(np.mean(melanoma))
    assert figures.mean.melanoma_auc.low < figures.mean.melanoma_auc.value < figures.mean.melanoma_auc.high
    assert [fold.melanoma_auc for fold in figures.folds] == pytest.approx(melanoma)
    assert [fold.temperature for fold in figures.folds] == list(TEMPERATURES)
    table = predictions.table
    assert figures.pooled.melanoma_auc.value == pytest.approx(
        roc_auc_score(table["diagnosis"] == "mel", table["probability_mel"])
    )
    metrics = evaluate(table, CODES)
    assert metrics.macro.auc == figures.pooled.macro_auc
    assert metrics.balanced_accuracy == figures.pooled.balanced_accuracy


def test_the_pair_is_told_apart_by_the_calibrated_margin(predictions: OutOfFold) -> None:
    table = predictions.table
    figures = out_of_fold_figures(predictions)
    for histology, estimate in (
        (False, figures.melanoma_naevus_auc),
        (True, figures.melanoma_naevus_auc_histology),
    ):
        pair = table[table["diagnosis"].isin(["mel", "nv"]) & ((table["confirmation"] == "histo") | (not histology))]
        margin = (pair["logit_mel"] - pair["logit_nv"]) / np.asarray(TEMPERATURES)[pair["fold"]]
        assert estimate.value == pytest.approx(roc_auc_score(pair["diagnosis"] == "mel", margin))


def test_duplicate_lesions_under_two_names_are_one(tmp_path: Path) -> None:
    first, second = missed_duplicates()[0]
    tables = fold_tables()
    tables[0].loc[[0, len(tables[0]) - 1], "image_id"] = [first, second]
    assert tables[0]["lesion_id"].iloc[0] != tables[0]["lesion_id"].iloc[-1]
    from model.cases import fingerprint

    data = {"fingerprint": fingerprint(pd.concat(tables))}
    bundles = fold_bundles(tmp_path, tables)
    whole = [type(b)(b.path, type(b.card)(**{**vars(b.card), "data": data})) for b in bundles]
    lesions = read_out_of_fold(whole).table.set_index("image_id")["lesion_id"]
    assert lesions[first] == lesions[second]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"split": {"protocol": "lesion", "fold": 3, "seed": 0}}, "folds 0 to 4, one each; there are 0, 1, 2, 3, 3"),
        ({"size": 96}, "made_up_fold4 and made_up_fold0 differ in size"),
        ({"data": {"fingerprint": "another"}}, "differ in data"),
        ({"split": {"protocol": "image", "fold": 4, "seed": 0}}, "differ in protocol"),
    ],
)
def test_what_is_not_one_cross_validation_is_refused(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(OutOfFoldError, match=message):
        read_out_of_fold(fold_bundles(tmp_path, **changed))


def test_a_leaky_cross_validation_is_refused(tmp_path: Path) -> None:
    bundles = fold_bundles(tmp_path)
    leaky = [
        type(b)(b.path, type(b.card)(**{**vars(b.card), "split": {**b.card.split, "protocol": "image"}}))
        for b in bundles
    ]
    with pytest.raises(OutOfFoldError, match="need protocol lesion; made_up_fold0 has image"):
        read_out_of_fold(leaky)


def test_no_models_are_no_cross_validation() -> None:
    with pytest.raises(OutOfFoldError, match="there are none"):
        read_out_of_fold([])


def test_a_missing_or_repeated_case_is_noticed(tmp_path: Path) -> None:
    tables = fold_tables()
    with pytest.raises(OutOfFoldError, match="not together the data set"):
        read_out_of_fold(fold_bundles(tmp_path / "missing", [*tables[:4], tables[4].iloc[1:]]))
    twice = pd.concat([tables[4], tables[0].iloc[:1]])
    with pytest.raises(OutOfFoldError, match="not together the data set"):
        read_out_of_fold(fold_bundles(tmp_path / "twice", [*tables[:4], twice]))


def test_a_lesion_in_two_folds_is_noticed(tmp_path: Path) -> None:
    tables = fold_tables()
    shared = tables[0]["lesion_id"].duplicated(keep=False)
    moved = tables[0][shared].iloc[:1]
    parts = [tables[0].drop(moved.index), *tables[1:4], pd.concat([tables[4], moved])]
    with pytest.raises(OutOfFoldError, match="two folds"):
        read_out_of_fold(fold_bundles(tmp_path, parts))


def test_headline_values_of_a_resample_equal_scikit_learn(predictions: OutOfFold) -> None:
    table = predictions.table
    weights = np.random.default_rng(0).integers(0, 3, (3, len(table))).astype(np.float32)
    values = headline_values(table, CODES, weights)
    for index, row in enumerate(weights):
        melanoma = roc_auc_score(table["diagnosis"] == "mel", table["probability_mel"], sample_weight=row)
        balanced = balanced_accuracy_score(table["diagnosis"], table["predicted"], sample_weight=row)
        assert values[2, index] == pytest.approx(melanoma, abs=1e-6)
        assert values[0, index] == pytest.approx(balanced, abs=1e-6)

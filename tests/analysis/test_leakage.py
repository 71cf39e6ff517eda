"""Leakage: what is seen is counted apart, repetitions stay, and only what is comparable is compared."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, classification_report

from analysis.audit import write_table
from analysis.leakage import (
    COMPARED,
    LeakageError,
    check_comparable,
    face,
    memory,
    predict_test_rows,
    predictions_file,
    read_faces,
    training_of,
)
from analysis.predictions import PredictionsError
from model.bundle import Card
from model.classes import CODES
from model.splits import Split
from tests.analysis.leaky_tables import HONEST, LEAKY, measured, write_both

LEAKY_CARD = Card(
    "leaky",
    "lesion_cnn",
    CODES,
    64,
    1.0,
    (1 / 7,) * 7,
    training={"batch": 32, "epochs_done": 10, "best_epoch": 8, "seed": 0, "protocol": "oversampled", "epochs": 10},
    split={"protocol": "oversampled", "fold": 0, "seed": 0, "train": 32_872},
    data={"fingerprint": "abc"},
)


def rows(*cells: tuple[str, str, bool, bool]) -> pd.DataFrame:
    """Diagnosis, called class, image and lesion in training; each row is a lesion of its own."""
    columns = ["diagnosis", "predicted", "image_in_training", "lesion_in_training"]
    return pd.DataFrame(cells, columns=columns).assign(lesion_id=[f"lesion_{number}" for number in range(len(cells))])


def test_accuracy_on_seen_and_unseen_rows() -> None:
    table = rows(
        ("mel", "mel", True, True),
        ("mel", "nv", False, True),
        ("nv", "nv", True, True),
        ("nv", "nv", False, False),
        ("nv", "mel", False, False),
        ("nv", "mel", False, False),
    )
    total, melanoma, naevus = memory(table)
    assert [one.diagnosis for one in (total, melanoma, naevus)] == ["total", "mel", "nv"]
    assert (total.rows, total.copies, total.seen) == (6, 2 / 6, 3)
    assert total.accuracy_seen.value == pytest.approx(2 / 3)
    assert total.accuracy_unseen.value == pytest.approx(1 / 3)
    assert (melanoma.copies, melanoma.seen, melanoma.accuracy_seen.value) == (0.5, 2, 0.5)
    assert np.isnan(melanoma.accuracy_unseen.value)
    assert naevus.accuracy_unseen.value == pytest.approx(1 / 3)
    assert total.accuracy_seen.low < total.accuracy_seen.value < total.accuracy_seen.high


def test_the_interval_counts_lesions_not_repetitions() -> None:
    once = rows(*[("nv", "nv" if number % 2 else "mel", True, True) for number in range(20)])
    repeated = pd.concat([once] * 10, ignore_index=True)
    assert memory(repeated)[0].accuracy_seen == memory(once)[0].accuracy_seen


def test_a_face_has_the_numbers_of_scikit_learn() -> None:
    table = measured()
    made = face(table)
    report = classification_report(table["diagnosis"], table["predicted"], output_dict=True)
    assert made.training == LEAKY
    assert made.metrics.accuracy.value == pytest.approx(accuracy_score(table["diagnosis"], table["predicted"]))
    assert made.adjusted.value == pytest.approx(balanced_accuracy_score(table["diagnosis"], table["adjusted"]))
    for row in made.metrics.classes:
        assert row.scores.precision.value == pytest.approx(report[row.code]["precision"])
        assert row.cases == report[row.code]["support"]
    assert made.metrics.weighted.f1.value == pytest.approx(report["weighted avg"]["f1-score"])


def test_every_test_row_is_predicted_as_often_as_the_split_repeats_it() -> None:
    cases = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d"],
            "lesion_id": ["1", "1", "2", "3"],
            "diagnosis": ["mel", "mel", "nv", "nv"],
        }
    )
    # The mean of an image is the logit of nv; that of mel is 0.
    images = np.stack([np.full((32, 32, 3), value, np.uint8) for value in (0, 2, 1, 5)])
    card = replace(LEAKY_CARD, classes=("mel", "nv"), class_prior=(0.05, 0.95))

    def logits(batch: np.ndarray) -> np.ndarray:
        means = batch.astype(np.float32).mean(axis=(1, 2, 3))
        return np.stack([np.zeros_like(means), means], axis=1)

    predictor: Any = SimpleNamespace(bundle=SimpleNamespace(card=card), logits=logits)
    parts = Split(np.array([0, 0, 2]), np.array([3]), np.array([2, 1, 2, 3]))
    table = predict_test_rows(predictor, cases, parts, images)
    assert list(table["image_id"]) == ["c", "b", "c", "d"]
    assert list(table["logit_nv"]) == [1, 2, 1, 5]
    assert list(table["predicted"]) == ["nv"] * 4
    # Odds of 19 to 1 turn at a logit of 2.94.
    assert list(table["adjusted"]) == ["mel", "mel", "mel", "nv"]
    assert list(table["image_in_training"]) == [True, False, True, False]
    assert list(table["lesion_in_training"]) == [True, True, True, False]
    assert table.attrs["training"]["steps"] == 10_270


def test_the_card_tells_the_budget() -> None:
    assert training_of(LEAKY_CARD) == LEAKY


def test_a_card_that_tells_nothing_is_refused() -> None:
    with pytest.raises(LeakageError, match="does not tell its train"):
        training_of(replace(LEAKY_CARD, split={"protocol": "lesion", "fold": 0}))


def test_trainings_that_differ_in_the_split_alone_are_compared() -> None:
    check_comparable([LEAKY, HONEST])
    check_comparable([HONEST, LEAKY])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": "oversampled"}, "one of oversampled and one of lesion are compared"),
        ({"network": "efficientnet_lite0"}, "differ in network: lesion_cnn and efficientnet_lite0"),
        ({"size": 112}, "differ in size: 64 and 112"),
        ({"data": "def"}, "differ in data"),
        ({"settings": {**LEAKY.settings, "seed": 1}}, "were trained otherwise: seed differ"),
        ({"steps": 5_000}, "10,270 steps and honest 5,000"),
    ],
)
def test_others_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(LeakageError, match=message):
        check_comparable([LEAKY, replace(HONEST, **change)])


def test_faces_are_read_from_parquet(tmp_path: Path) -> None:
    write_both(tmp_path)
    faces = read_faces(tmp_path)
    assert tuple(one.training.protocol for one in faces) == COMPARED
    assert faces[1].training == HONEST
    assert faces[0].memory == memory(measured())


def test_missing_predictions_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="lesionlens leakage --data PATH --models"):
        read_faces(tmp_path)


def test_predictions_without_a_column_are_refused(tmp_path: Path) -> None:
    for training in (LEAKY, HONEST):
        write_table(tmp_path / predictions_file(training.protocol), measured(training).drop(columns="adjusted"))
    with pytest.raises(PredictionsError, match="has no adjusted"):
        read_faces(tmp_path)

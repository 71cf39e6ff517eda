"""Predictions are read as they were written, and files that cannot be trusted are refused with a reason."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.predictions import PredictionsError, class_maps, margin, read_predictions
from model.classes import CODES
from tests.analysis.conftest import make_predictions


def written(table: pd.DataFrame, folder: Path) -> Path:
    path = folder / "test_predictions.parquet"
    table.to_parquet(path)
    return path


def test_confidence_is_the_probability_of_the_called_class(tmp_path: Path) -> None:
    table = make_predictions(50)
    table["predicted"] = "bkl"
    read = read_predictions(written(table, tmp_path), CODES)
    np.testing.assert_array_equal(read["confidence"], table["probability_bkl"])
    np.testing.assert_array_equal(read["correct"], table["diagnosis"] == "bkl")


def test_margin_is_a_difference_of_logits() -> None:
    table = make_predictions(5)
    expected = table["logit_mel"].to_numpy(np.float64) - table["logit_nv"].to_numpy(np.float64)
    np.testing.assert_array_equal(margin(table, "mel", "nv"), expected)


def test_maps_unfold_in_class_then_row_then_column_order() -> None:
    maps = class_maps(np.arange(7 * 9, dtype=np.float32), CODES)
    assert list(maps) == list(CODES)
    np.testing.assert_array_equal(maps["bcc"], [[9, 10, 11], [12, 13, 14], [15, 16, 17]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns=["age", "logit_nv"]), "no column age, logit_nv"),
        (lambda table: table.head(0), "no rows"),
        (lambda table: table.assign(diagnosis="wart"), "column diagnosis holds wart"),
        (lambda table: table.assign(predicted="wart"), "column predicted holds wart"),
        (lambda table: table.assign(image_id="ISIC_0000001"), "ISIC_0000001 among them"),
        (lambda table: table.assign(logit_mel=np.inf), "not finite"),
        (lambda table: table.assign(probability_mel=2.0), "add up to 1"),
        (lambda table: table.assign(gradcam=[np.zeros(7 * 9 + 1, np.float32)] * len(table)), "square map"),
    ],
)
def test_damaged_tables_are_refused(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    path = written(change(make_predictions(20)), tmp_path)
    with pytest.raises(PredictionsError, match=message):
        read_predictions(path, CODES)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="lesionlens train"):
        read_predictions(tmp_path / "nowhere.parquet", CODES)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test_predictions.parquet"
    path.write_bytes(b"not a table")
    with pytest.raises(PredictionsError, match="not a readable Parquet"):
        read_predictions(path, CODES)

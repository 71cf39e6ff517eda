"""`lesionlens evaluate` prints scikit-learn's numbers in three forms."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from app.cli import main
from model.bundle import ModelBundle
from model.classes import CODES
from tests.app.figure_pages import without_predictions


@pytest.fixture(scope="module")
def table(bundle: ModelBundle) -> pd.DataFrame:
    return pd.read_parquet(bundle.predictions_path)


def test_json(bundle: ModelBundle, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(bundle.path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    balanced = balanced_accuracy_score(table["diagnosis"], table["predicted"])
    assert answer["balanced_accuracy"]["value"] == pytest.approx(balanced)
    assert [row["code"] for row in answer["classes"]] == list(CODES)


def test_markdown(bundle: ModelBundle, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(bundle.path), "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    melanoma = next(line for line in lines if line.startswith("| Melanoma (mel) |"))
    recall = recall_score(table["diagnosis"] == "mel", table["predicted"] == "mel")
    assert f" {recall:.3f} (" in melanoma
    assert len({line.count("|") for line in lines if "Precision" in line or "(mel)" in line}) == 1


def test_table(bundle: ModelBundle, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(bundle.path)]) == 0
    printed = capsys.readouterr().out
    assert f"{balanced_accuracy_score(table['diagnosis'], table['predicted']):.3f}" in printed
    assert f"{len(table):,} test images" in printed


def test_a_bundle_without_predictions_is_refused(
    bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = without_predictions(bundle, tmp_path)
    assert main(["evaluate", "--model", str(context.bundle.path)]) == 2
    assert "no test predictions" in capsys.readouterr().err

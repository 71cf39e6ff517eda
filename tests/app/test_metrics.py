"""Metrics: page, JSON and CSV show scikit-learn's numbers."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support, roc_auc_score

from app.context import Context
from app.pages import render
from model.bundle import ModelBundle
from model.classes import CODES
from tests.app.figure_pages import without_predictions


@pytest.fixture(scope="module")
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


@pytest.fixture(scope="module")
def table(context: Context) -> pd.DataFrame:
    return context.results.table


def test_json_equals_scikit_learn(client: TestClient, table: pd.DataFrame) -> None:
    answer = client.get("/api/metrics").json()
    recall = precision_recall_fscore_support(table["diagnosis"], table["predicted"], labels=CODES, zero_division=0)[1]
    assert [row["scores"]["recall"]["value"] for row in answer["classes"]] == pytest.approx(recall)
    area = roc_auc_score(table["diagnosis"] == "mel", table["probability_mel"])
    assert answer["classes"][CODES.index("mel")]["scores"]["auc"]["value"] == pytest.approx(area)


def test_csv_has_a_row_for_each_class_and_average(client: TestClient, table: pd.DataFrame) -> None:
    rows = pd.read_csv(io.StringIO(client.get("/api/metrics.csv").text)).set_index("class")
    assert list(rows.index) == [*CODES, "Macro average", "Weighted average"]
    assert rows.loc["mel", "cases"] == (table["diagnosis"] == "mel").sum()
    assert rows.loc["mel", "recall_low"] < rows.loc["mel", "recall"] < rows.loc["mel", "recall_high"]


def test_the_page_shows_the_figures_and_their_chance(context: Context, table: pd.DataFrame) -> None:
    page = str(render(context, "/metrics", {}))
    assert f"'{balanced_accuracy_score(table['diagnosis'], table['predicted']):.3f}'" in page
    assert "chance 0.143" in page
    assert "Macro average" in page


def test_the_curves_legends_carry_the_areas(context: Context, table: pd.DataFrame) -> None:
    figure = render(context, "/metrics", {})["metrics-roc"].figure
    area = roc_auc_score(table["diagnosis"] == "bcc", table["probability_bcc"])
    assert any(trace.name.startswith(f"bcc {area:.2f} (") for trace in figure.data)


def test_a_highlighted_class_stands_in_front(context: Context) -> None:
    page = render(context, "/metrics", {"highlight": "mel"})
    front = page["metrics-roc"].figure.data[-1]
    assert front.name.startswith("mel ")
    assert front.opacity == 1
    assert page["metrics-highlight"].value == "mel"
    assert render(context, "/metrics", {"highlight": "wart"})["metrics-highlight"].value == "all"


def test_the_figures_of_a_leaky_split_are_marked(bundle: ModelBundle) -> None:
    leaky = replace(bundle, card=replace(bundle.card, split={**bundle.card.split, "protocol": "image"}))
    notice = "Leaky split (image): its figures are not performance"
    assert notice in str(render(Context(leaky), "/metrics", {}))
    assert notice not in str(render(Context(bundle), "/metrics", {}))


def test_without_predictions_the_page_says_so(bundle: ModelBundle, tmp_path: Path) -> None:
    page = render(without_predictions(bundle, tmp_path), "/metrics", {})
    assert "There are no test predictions" in str(page)

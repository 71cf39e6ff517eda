"""Confusion: every cell counts the cases that its link leads to."""

import io
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from sklearn.metrics import confusion_matrix

from app.context import Context
from app.pages import render
from model.bundle import ModelBundle
from model.classes import CODES
from tests.app.figure_pages import without_predictions


@pytest.fixture(scope="module")
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


@pytest.mark.parametrize(("query", "normalised"), [({}, None), ({"normalise": "row"}, "true")])
def test_json_and_csv_equal_scikit_learn(
    client: TestClient, context: Context, query: dict[str, str], normalised: str | None
) -> None:
    table = context.results.table
    expected = confusion_matrix(table["diagnosis"], table["predicted"], labels=CODES, normalize=normalised)
    answer = client.get("/api/confusion", params=query).json()
    assert answer["classes"] == list(CODES)
    for row, ours in zip(expected, answer["matrix"], strict=True):
        assert ours == pytest.approx(row)
    rows = pd.read_csv(io.StringIO(client.get("/api/confusion.csv", params=query).text)).set_index("diagnosis")
    assert rows.loc["mel", "nv"] == pytest.approx(expected[CODES.index("mel"), CODES.index("nv")])


def test_a_cell_leads_to_as_many_cases_as_it_counts(client: TestClient, context: Context) -> None:
    count = context.results.confusion[CODES.index("nv"), CODES.index("mel")]
    page = str(render(context, "/confusion", {}))
    assert f"children='{count:,}', href='/cases?diagnosis=nv&predicted=mel'" in page
    assert len(client.get("/api/cases?diagnosis=nv&predicted=mel").json()["cases"]) == count


def test_the_sentence_names_the_largest_confusion(context: Context) -> None:
    table = context.results.table
    wrong = table[~table["correct"]].groupby(["diagnosis", "predicted"]).size()
    diagnosis = wrong.idxmax()[0]
    share = wrong.max() / (table["diagnosis"] == diagnosis).sum()
    assert f"({wrong.max():,} cases, {100 * share:.0f} % of {diagnosis})" in str(render(context, "/confusion", {}))


def test_an_unknown_normalisation_is_refused(client: TestClient) -> None:
    answer = client.get("/api/confusion?normalise=all")
    assert answer.status_code == 422
    assert "counts, row, column" in answer.json()["detail"]


def test_without_predictions_the_page_says_so(bundle: ModelBundle, tmp_path: Path) -> None:
    page = render(without_predictions(bundle, tmp_path), "/confusion", {})
    assert "There are no test predictions" in str(page)

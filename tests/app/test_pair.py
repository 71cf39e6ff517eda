"""Pair: what the page, its slider, its JSON and its links show is one and the same audit."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from sklearn.metrics import roc_auc_score

from app.context import Context
from app.pages import render
from app.pages.pair import slider_thresholds
from app.urls import parse_query
from model.bundle import ModelBundle
from tests.app.figure_pages import without_predictions

CELLS = ("found", "missed", "alarms", "cleared")


@pytest.fixture(scope="module")
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


def test_json_equals_scikit_learn(client: TestClient, context: Context) -> None:
    table = context.results.table
    pair = table[table["diagnosis"].isin(["mel", "nv"]) & (table["confirmation"] == "histo")]
    margins = pair["logit_mel"].astype(float) - pair["logit_nv"].astype(float)
    answer = client.get("/api/pair/mel/nv?confirmation=histo").json()
    assert answer["cases"] == len(pair)
    assert answer["auc"]["value"] == pytest.approx(roc_auc_score(pair["diagnosis"] == "mel", margins))


def test_the_page_starts_at_the_models_own_threshold(client: TestClient, context: Context) -> None:
    point = client.get("/api/pair/mel/nv").json()["operating_point"]
    page = render(context, "/pair/mel/nv", {})
    for cell in CELLS:
        assert page[f"pair-{cell}"].children == f"{point[cell]:,}"
    assert page["pair-sensitivity"].children == f"{100 * point['sensitivity']['value']:.1f} %"


def test_the_slider_holds_the_audit_at_every_step(client: TestClient, context: Context) -> None:
    points = render(context, "/pair/mel/nv", {})["pair-points"].data
    for index in (0, len(points["threshold"]) // 3, -1):
        margin = points["threshold"][index]
        point = client.get("/api/pair/mel/nv", params={"margin": margin}).json()["operating_point"]
        assert [points[cell][index] for cell in CELLS] == [point[cell] for cell in CELLS]
        assert points["specificity"][index] == pytest.approx(list(point["specificity"].values()))
    assert points["sensitivity"][0][0] == 1
    assert points["specificity"][-1][0] == 1


@pytest.mark.parametrize("query", [{}, {"confirmation": "histo", "margin": "0.4"}])
def test_each_cell_leads_to_as_many_cases_as_it_counts(
    client: TestClient, context: Context, query: dict[str, str]
) -> None:
    page = render(context, "/pair/mel/nv", query)
    for cell in CELLS:
        search = page[f"pair-{cell}-link"].href.partition("?")[2]
        cases = client.get("/api/cases", params=parse_query(search)).json()["cases"]
        assert f"{len(cases):,}" == page[f"pair-{cell}"].children


def test_errors_come_most_confident_first(client: TestClient) -> None:
    answer = client.get("/api/pair/mel/nv?margin=0").json()
    missed = [case["margin"] for case in answer["missed"]]
    alarms = [case["margin"] for case in answer["alarms"]]
    assert missed == sorted(missed)
    assert max(missed) < 0
    assert alarms == sorted(alarms, reverse=True)
    assert min(alarms) >= 0


def test_both_areas_stand_side_by_side_whichever_cases_are_chosen(client: TestClient, context: Context) -> None:
    areas = [client.get(f"/api/pair/mel/nv{query}").json()["auc"]["value"] for query in ("", "?confirmation=histo")]
    for query in ({}, {"confirmation": "histo"}):
        page = str(render(context, "/pair/mel/nv", query))
        assert all(f"'{area:.3f}'" in page for area in areas)


def test_any_two_classes_can_be_audited(context: Context) -> None:
    page = str(render(context, "/pair/bcc/akiec", {"margin": "not a number"}))
    assert "Basal cell carcinoma and actinic keratosis" in page


def test_csv_has_a_row_for_each_margin(client: TestClient) -> None:
    rows = pd.read_csv(io.StringIO(client.get("/api/pair/mel/nv/operating_points.csv").text))
    assert rows["threshold"].is_monotonic_increasing
    assert rows["sensitivity"].is_monotonic_decreasing
    assert rows["specificity"].is_monotonic_increasing


@pytest.mark.parametrize("address", ["/pair/mel/mel", "/pair/mel/wart"])
def test_pairs_that_there_are_not_are_refused(client: TestClient, context: Context, address: str) -> None:
    assert client.get(f"/api{address}").status_code == 404
    assert render(context, address, {}).role == "alert"


def test_without_predictions_the_page_says_so(bundle: ModelBundle, tmp_path: Path) -> None:
    page = render(without_predictions(bundle, tmp_path), "/pair/mel/nv", {})
    assert "There are no test predictions" in str(page)


def test_margins_however_wide_make_few_steps_that_go_through_the_models_own(bundle: ModelBundle) -> None:
    audit = Context(bundle).results.pair("mel", "nv", False)
    wide = replace(audit, margins=1000 * audit.margins)
    for one in (audit, wide):
        thresholds = slider_thresholds(one, 0.3)
        assert len(thresholds) <= 604  # 600 steps, both ends rounded up and one beyond each
        assert thresholds[0] < one.margins[one.positive].min()
        assert thresholds[-1] > one.margins[~one.positive].max()
        assert min(abs(threshold - 0.3) for threshold in thresholds) < 1e-9

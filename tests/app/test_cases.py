"""Cases: the grid, its JSON and CSV all show the cases that the address selects."""

import io
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.context import Context
from app.pages import render
from app.server import create_app
from model.bundle import ModelBundle
from tests.app.figure_pages import without_predictions

QUERY = {"diagnosis": "mel", "correct": "no"}


@pytest.fixture(scope="module")
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


@pytest.fixture(scope="module")
def expected(context: Context) -> list[str]:
    table = context.results.table
    return list(table[(table["diagnosis"] == "mel") & (table["predicted"] != "mel")]["image_id"])


def test_the_grid_shows_the_selected_cases(context: Context, expected: list[str]) -> None:
    page = render(context, "/cases", QUERY)
    assert [row["image_id"] for row in page["cases-grid"].rowData] == expected
    assert f"{len(expected):,}" in str(page["cases-count"])
    assert page["cases-diagnosis"].value == ["mel"]
    assert page["cases-correct"].value == "no"


def test_each_row_leads_to_its_case_within_the_selection(context: Context, expected: list[str]) -> None:
    row = render(context, "/cases", QUERY)["cases-grid"].rowData[0]
    assert row["href"] == f"/cases/{expected[0]}?diagnosis=mel&correct=no"
    assert row["thumbnail"] is None


def test_the_order_of_the_address_is_the_grids(context: Context) -> None:
    columns = render(context, "/cases", {"sort": "age:desc"})["cases-grid"].columnDefs
    assert {one["field"]: one.get("sort") for one in columns if one.get("sort")} == {"age": "desc"}


def test_json_and_csv_hold_the_selected_cases(client: TestClient, expected: list[str]) -> None:
    answer = client.get("/api/cases", params=QUERY).json()
    assert [case["image_id"] for case in answer["cases"]] == expected
    table = pd.read_csv(io.StringIO(client.get("/api/cases.csv", params=QUERY).text))
    assert list(table["image_id"]) == expected
    assert "gradcam" not in table


def test_a_selection_that_means_nothing_is_refused(client: TestClient, context: Context) -> None:
    answer = client.get("/api/cases", params={"diagnosis": "wart"})
    assert answer.status_code == 422
    assert "wart" in answer.json()["detail"]
    assert "wart" in str(render(context, "/cases", {"diagnosis": "wart"}))


def test_without_predictions_page_and_json_say_so(bundle: ModelBundle, tmp_path: Path) -> None:
    context = without_predictions(bundle, tmp_path)
    assert "There are no test predictions" in str(render(context, "/cases", {}))
    with TestClient(create_app(context.bundle.path)) as client:
        answer = client.get("/api/cases")
    assert answer.status_code == 404
    assert "lesionlens train" in answer.json()["detail"]


def test_images_and_thumbnails_come_from_the_data_set(bundle: ModelBundle, ham10000: Path, expected: list[str]) -> None:
    with TestClient(create_app(bundle.path, ham10000)) as client:
        photo = Image.open(io.BytesIO(client.get(f"/api/cases/{expected[0]}/image").content))
        small = Image.open(io.BytesIO(client.get(f"/api/cases/{expected[0]}/thumbnail.jpg").content))
    assert photo.format == small.format == "JPEG"
    assert max(small.size) <= min(240, max(photo.size))
    assert small.width / small.height == pytest.approx(photo.width / photo.height, rel=0.02)


def test_images_that_are_not_here_are_not_found(client: TestClient, expected: list[str]) -> None:
    for name in ("image", "thumbnail.jpg"):
        answer = client.get(f"/api/cases/{expected[0]}/{name}")
        assert answer.status_code == 404
        assert "not on this machine" in answer.json()["detail"]

"""Cases, Case, Metrics, Confusion and Pair as a person uses them."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from analysis.predictions import read_predictions
from model.bundle import ModelBundle


@pytest.fixture(scope="module")
def table(bundle: ModelBundle) -> pd.DataFrame:
    return read_predictions(bundle.predictions_path, bundle.card.classes)


@pytest.fixture
def api(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server) as client:
        yield client


def column(page: Page, name: str) -> list[str]:
    """What the grid shows in a column, from the top."""
    cells = page.locator(f".ag-center-cols-container [col-id={name}]")
    expect(cells.first).to_be_visible()
    rows = page.locator(".ag-center-cols-container .ag-row")
    ordered = sorted(rows.all(), key=lambda row: int(row.get_attribute("row-index") or 0))
    return [row.locator(f"[col-id={name}]").inner_text() for row in ordered]


def expect_count(page: Page, count: int) -> None:
    expect(page.locator("#cases-count strong")).to_have_text(f"{count:,}")


def expect_drawn(picture: Locator) -> None:
    """The picture has come and the browser could draw it."""
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def press_until(slider: Locator, key: str, times: int) -> None:
    slider.focus()
    for _ in range(times):
        slider.press(key)


def test_a_confusion_cell_leads_to_its_cases(page: Page, table: pd.DataFrame) -> None:
    expected = table[(table["diagnosis"] == "mel") & (table["predicted"] == "nv")]
    page.goto("/confusion")
    cell = page.locator("a.cell[title$='cases of Melanoma called Melanocytic naevus']")
    expect(cell).to_have_text(f"{len(expected):,}")
    cell.click()
    page.wait_for_url("**/cases?diagnosis=mel&predicted=nv")
    expect_count(page, len(expected))
    assert set(column(page, "diagnosis")) == {"mel"}
    assert set(column(page, "predicted")) == {"nv"}
    assert set(column(page, "image_id")) <= set(expected["image_id"])


def test_confusion_normalised_by_row_is_in_the_address(page: Page, table: pd.DataFrame) -> None:
    page.goto("/confusion")
    page.get_by_text("% of diagnosis").click()
    page.wait_for_url("**/confusion?normalise=row")
    recall = (table[table["diagnosis"] == "mel"]["predicted"] == "mel").mean()
    cell = page.locator("a.cell[title$='cases of Melanoma called Melanoma']")
    expect(cell).to_have_text(f"{100 * recall:.1f} %")
    page.reload()
    expect(cell).to_have_text(f"{100 * recall:.1f} %")


def test_cases_filter_and_keep_their_state_in_the_address(page: Page, table: pd.DataFrame) -> None:
    page.goto("/cases")
    expect_count(page, len(table))
    page.get_by_text("Wrong", exact=True).click()
    page.wait_for_url("**/cases?correct=no")
    wrong = table[~table["correct"]]
    expect_count(page, len(wrong))
    page.locator("#cases-diagnosis").click()
    page.get_by_role("option", name="bkl").click()
    page.wait_for_url("**/cases?correct=no&diagnosis=bkl")
    expected = wrong[wrong["diagnosis"] == "bkl"]
    expect_count(page, len(expected))
    page.get_by_role("option", name="mel").click()  # the list stays open for a second choice
    page.wait_for_url("**/cases?correct=no&diagnosis=bkl%2Cmel")
    both = wrong[wrong["diagnosis"].isin(["bkl", "mel"])]
    expect_count(page, len(both))
    page.reload()
    expect_count(page, len(both))
    page.get_by_text("Clear filters").click()
    page.wait_for_url("**/cases")
    expect_count(page, len(table))


def test_a_link_to_the_page_undoes_the_filters_that_were_set_on_it(page: Page, table: pd.DataFrame) -> None:
    page.goto("/cases")
    page.get_by_text("Wrong", exact=True).click()
    page.wait_for_url("**/cases?correct=no")
    page.locator(".rail").get_by_text("Cases").click()
    page.wait_for_url("**/cases")
    expect_count(page, len(table))


def test_cases_search_and_say_when_there_is_none(page: Page, table: pd.DataFrame) -> None:
    lesion = table["lesion_id"].iloc[0]
    page.goto("/cases")
    page.locator("#cases-search").fill(lesion)
    expect_count(page, int((table["lesion_id"] == lesion).sum()))
    page.locator("#cases-search").fill("nothing is called so")
    expect_count(page, 0)
    expect(page.get_by_role("grid").get_by_text("No case is like this")).to_be_visible()


def test_cases_sort_and_keep_the_order_in_the_address(page: Page, table: pd.DataFrame) -> None:
    page.goto("/cases?correct=no")
    header = page.locator(".ag-header-cell[col-id=confidence]")
    header.click()
    page.wait_for_url("**/cases?correct=no&sort=confidence%3Aasc")
    header.click()
    page.wait_for_url("**/cases?correct=no&sort=confidence%3Adesc")
    expected = table[~table["correct"]]["confidence"].sort_values(ascending=False)
    assert column(page, "confidence")[:5] == [f"{value:.3f}" for value in expected.head(5)]
    page.reload()
    assert column(page, "confidence")[:5] == [f"{value:.3f}" for value in expected.head(5)]


def test_a_case_opens_with_its_heatmaps_and_neighbours(page: Page, table: pd.DataFrame) -> None:
    wrong = table[(table["diagnosis"] == "mel") & (table["predicted"] == "nv")]["image_id"].tolist()
    page.goto("/cases?diagnosis=mel&predicted=nv")
    expect_count(page, len(wrong))
    page.locator(f".ag-row[row-id={wrong[0]}] [col-id=diagnosis]").click()
    page.wait_for_url(f"**/cases/{wrong[0]}?diagnosis=mel&predicted=nv")
    expect(page.locator("h1")).to_have_text(wrong[0])
    layers = page.locator(".case-heatmap")
    expect(layers).to_have_count(3)
    for layer in layers.all():
        expect_drawn(layer)
    assert [re.sub(r".*\?", "", layer.get_attribute("src") or "") for layer in layers.all()] == [
        "target=nv",
        "target=mel",
        "target=nv&against=mel",
    ]
    expect(page.get_by_text(f"1 of {len(wrong)}")).to_be_visible()
    page.get_by_text("Next", exact=True).click()
    expect(page.locator("h1")).to_have_text(wrong[1])
    expect(page.get_by_text(f"2 of {len(wrong)}")).to_be_visible()


def test_a_case_is_explained_where_its_image_is(page: Page, table: pd.DataFrame, ham10000: Path) -> None:
    case = table.iloc[0]
    page.goto(f"/cases/{case['image_id']}")
    page.locator(".page-actions").get_by_text("Explain").click()
    page.wait_for_url(f"**/explain?case={case['image_id']}**")
    expect(page.locator("#explain-name")).to_have_text(case["image_id"])
    expect_drawn(page.locator("#explain-original"))
    expect(page.locator(".learnt-note")).to_have_count(0)
    page.goto(f"/explain?case={case['image_id']}&ensemble=1&methods=gradcam")
    expect(page.locator(".learnt-note")).to_contain_text("Of 5 models 4 learnt from this lesion")


def test_opacity_of_the_heatmaps_follows_its_slider(page: Page, table: pd.DataFrame) -> None:
    page.goto(f"/cases/{table['image_id'].iloc[0]}")
    layer = page.locator(".case-heatmap").first
    expect(layer).to_have_css("opacity", "0.75")
    press_until(page.locator("#case-opacity [role=slider]"), "ArrowLeft", 5)
    expect(layer).to_have_css("opacity", "0.5")


def test_pair_slider_moves_cells_rates_figures_and_address(page: Page, api: httpx.Client) -> None:
    page.goto("/pair/mel/nv")
    start = api.get("/api/pair/mel/nv").json()
    expect(page.locator("#pair-found")).to_have_text(f"{start['operating_point']['found']:,}")
    press_until(page.locator("#pair-margin [role=slider]"), "ArrowLeft", 20)
    page.wait_for_url("**/pair/mel/nv?margin=*")
    margin = start["model_threshold"] - 1
    moved = api.get("/api/pair/mel/nv", params={"margin": margin}).json()["operating_point"]
    assert moved["found"] > start["operating_point"]["found"]
    for cell in ("found", "missed", "alarms", "cleared"):
        expect(page.locator(f"#pair-{cell}")).to_have_text(f"{moved[cell]:,}")
    for rate in ("sensitivity", "specificity", "precision"):
        expect(page.locator(f"#pair-{rate}")).to_have_text(f"{100 * moved[rate]['value']:.1f} %")
    point = page.evaluate("document.querySelector('#pair-roc .js-plotly-plot').data.at(-1)")
    assert point["y"][0] == pytest.approx(moved["sensitivity"]["value"])
    page.reload()
    expect(page.locator("#pair-found")).to_have_text(f"{moved['found']:,}")


@pytest.mark.parametrize("cell", ["found", "missed", "alarms", "cleared"])
def test_pair_cells_lead_to_their_cases(page: Page, cell: str) -> None:
    page.goto("/pair/mel/nv?confirmation=histo&margin=-0.5")
    count = page.locator(f"#pair-{cell}")
    expect(count).to_be_visible()
    expected = int(count.inner_text().replace(",", ""))
    page.locator(f"#pair-{cell}-link").click()
    page.wait_for_url("**/cases?**")
    expect_count(page, expected)


def test_pair_of_histology_confirmed_cases_and_of_other_classes(page: Page, table: pd.DataFrame) -> None:
    page.goto("/pair/mel/nv")
    page.get_by_text("Histology-confirmed", exact=True).click()
    page.wait_for_url("**/pair/mel/nv?confirmation=histo")
    naevi = ((table["diagnosis"] == "nv") & (table["confirmation"] == "histo")).sum()
    expect(page.get_by_text(f"{naevi:,} cases", exact=True)).to_be_visible()
    page.locator("#pair-against").click()
    page.get_by_role("option", name="Benign keratosis-like lesion").click()
    page.wait_for_url("**/pair/mel/bkl?confirmation=histo")
    expect(page.locator("h1")).to_have_text("Melanoma and benign keratosis-like lesion")


def test_pair_errors_are_shown_with_their_contrast(page: Page, api: httpx.Client) -> None:
    page.goto("/pair/mel/nv")
    missed = api.get("/api/pair/mel/nv").json()["missed"]
    cards = page.locator(".error-card[data-kind=missed]:visible")
    expect(cards).to_have_count(6)
    expect(cards.first).to_contain_text(missed[0]["image_id"])
    layer = cards.first.locator(".case-heatmap")
    assert (layer.get_attribute("src") or "").endswith("target=mel&against=nv")
    expect_drawn(layer)
    press_until(page.locator("#pair-margin [role=slider]"), "Home", 1)
    expect(page.locator(".error-gallery").first.locator(".no-error")).to_be_visible()
    expect(cards).to_have_count(0)


def test_metrics_highlight_is_in_the_address(page: Page) -> None:
    page.goto("/metrics")
    figures = page.locator(".js-plotly-plot")
    expect(figures).to_have_count(5)
    expect(page).to_have_title("Metrics · LesionLens")
    page.locator("#metrics-highlight").click()
    page.get_by_role("option", name="Melanoma (mel)").click()
    page.wait_for_url("**/metrics?highlight=mel")
    expect(page.locator("#metrics-reliability")).to_contain_text("Mean probability of melanoma")


@pytest.mark.parametrize(
    ("address", "content"),
    [
        ("/cases", ".ag-row"),
        ("/metrics", ".panel"),
        ("/confusion", ".panel"),
        ("/pair/mel/nv", ".panel"),
        ("/leakage", ".panel"),
        ("/explanations", ".panel"),
        ("/card", ".panel"),
    ],
)
def test_pages_fit_a_phone(page: Page, address: str, content: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    expect(page.locator(content).last).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/cases?diagnosis=wart", "none of the classes"),
        ("/cases/ISIC_9999999", "not in the test part"),
        ("/pair/mel/mel", "two classes"),
        ("/pair/mel/wart", "none of the classes"),
    ],
)
def test_addresses_that_mean_nothing_say_so(page: Page, address: str, message: str) -> None:
    page.goto(address)
    expect(page.get_by_role("alert")).to_contain_text(message)

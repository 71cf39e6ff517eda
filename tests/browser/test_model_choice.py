"""Choosing another model as a person does it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from model.bundle import ModelBundle
from tests.app.two_folds import two_folds
from tests.browser.conftest import serving
from tests.browser.test_explain_page import PHANTOM, SLOW, expect_heatmap, probabilities, upload

SECOND = "toy_lesion_fold1_192px"


@pytest.fixture(scope="module")
def server_output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two_models") / "output.txt"


@pytest.fixture(scope="module")
def server(bundle: ModelBundle, server_output: Path) -> Iterator[str]:
    """The address of a server of the first of two folds."""
    with serving(two_folds(bundle, server_output.parent), server_output) as address:
        yield address


def choose_model(page: Page, name: str) -> None:
    page.locator("#model-choice").click()
    page.get_by_role("option", name=name).click()


def test_the_same_sample_by_another_model_and_back(page: Page) -> None:
    page.goto("/explain?sample=melanoma&target=mel")
    expect_heatmap(page, "gradcam")
    before = probabilities(page, 0)
    choose_model(page, SECOND)
    page.wait_for_url(f"**/models/{SECOND}/explain?sample=melanoma&target=mel*")
    expect_heatmap(page, "gradcam")
    assert probabilities(page, 0) != before
    page.get_by_role("link", name="Confusion").first.click()
    page.wait_for_url(f"**/models/{SECOND}/confusion")
    expect(page.get_by_role("heading", name="Confusion", exact=True)).to_be_visible(timeout=SLOW)
    page.goto(f"/models/{SECOND}/explain?sample=melanoma&target=mel")
    choose_model(page, "toy_lesion_fold0_192px")
    page.wait_for_url(re.compile(r"//[^/]+/explain\?sample=melanoma&target=mel"))
    expect_heatmap(page, "gradcam")
    assert probabilities(page, 0) == before


def test_an_uploaded_image_goes_along(page: Page) -> None:
    page.goto("/explain")
    upload(page, PHANTOM)
    expect_heatmap(page, "gradcam")
    before = probabilities(page, 0)
    choose_model(page, SECOND)
    page.wait_for_url(f"**/models/{SECOND}/explain*")
    expect(page.locator("#explain-name")).to_have_text("phantom.png", timeout=SLOW)
    expect_heatmap(page, "gradcam")
    assert probabilities(page, 0) != before
    assert json.loads(page.evaluate("JSON.stringify(sessionStorage)")).get("lesionlens-image") is None


def test_an_unknown_model_s_page_leads_to_those_that_there_are(page: Page, console_errors: list[str]) -> None:
    page.goto("/models/tea/confusion?normalise=row")
    expect(page.get_by_role("alert")).to_contain_text("There is no model 'tea' here")
    console_errors[:] = [error for error in console_errors if "404" not in error]
    page.get_by_role("link", name=SECOND).click()
    page.wait_for_url(f"**/models/{SECOND}/confusion?normalise=row")
    expect(page.get_by_role("heading", name="Confusion", exact=True)).to_be_visible(timeout=SLOW)


def test_the_shipped_audit_is_chosen_like_a_model_and_shows_all_its_cases(page: Page) -> None:
    page.goto("/confusion")
    choose_model(page, "10,015 cases")
    page.wait_for_url("**/models/audit/confusion")
    expect(page.get_by_role("link", name="10,015", exact=True)).to_be_visible(timeout=SLOW)
    expect(page.locator("#model-choice")).to_have_value(re.compile("10,015 cases"))

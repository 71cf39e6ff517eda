"""Choosing another model as a person does it."""

import json
import re

from playwright.sync_api import Page, expect

from model.bundle import DEFAULT_BUNDLE
from tests.browser.test_explain_page import PHANTOM, SLOW, expect_heatmap, probabilities, upload

SECOND = DEFAULT_BUNDLE.name.replace("fold0", "fold1")


def choose_model(page: Page, name: str) -> None:
    page.locator("#model-choice").click()
    page.get_by_role("option", name=name).click()


def test_the_same_sample_by_another_model_and_back(page: Page) -> None:
    page.goto("/explain?sample=melanoma&target=mel&methods=gradcam")
    expect_heatmap(page, "gradcam")
    before = probabilities(page, 0)
    choose_model(page, SECOND)
    page.wait_for_url(f"**/models/{SECOND}/explain?sample=melanoma&target=mel*")
    expect_heatmap(page, "gradcam")
    assert probabilities(page, 0) != before
    page.get_by_role("link", name="Confusion").first.click()
    page.wait_for_url(f"**/models/{SECOND}/confusion")
    expect(page.get_by_role("heading", name="Confusion", exact=True)).to_be_visible(timeout=SLOW)
    page.goto(f"/models/{SECOND}/explain?sample=melanoma&target=mel&methods=gradcam")
    choose_model(page, DEFAULT_BUNDLE.name)
    page.wait_for_url(re.compile(r"//[^/]+/explain\?sample=melanoma&target=mel"))
    expect_heatmap(page, "gradcam")
    assert probabilities(page, 0) == before


def test_an_uploaded_image_goes_along(page: Page) -> None:
    page.goto("/explain?methods=gradcam")
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

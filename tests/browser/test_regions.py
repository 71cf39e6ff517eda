"""What regions count for, and how far maps agree by region, as a person sees it."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_explain_page import SLOW

ADDRESS = "/explain?sample=melanoma&target=mel&methods=gradcam,occlusion"


def has_regions(page: Page, method: str) -> None:
    expect(page.locator(f"#explain-card-{method}")).to_have_attribute("data-regions", "yes", timeout=SLOW)


def test_the_region_under_the_pointer_is_outlined_and_its_value_said(page: Page) -> None:
    page.goto(ADDRESS)
    has_regions(page, "occlusion")
    page.locator("#explain-card-occlusion .picture-map .picture").hover()
    expect(page.locator(".region-readout")).to_have_text(re.compile(r"^Region \d+, middle centre[+−][\d.]+ logit per"))
    assert "url(" in page.locator("#explain-card-occlusion").evaluate("card => card.style.getPropertyValue('--region')")
    page.locator("h1").hover()
    expect(page.locator(".region-readout")).to_have_count(0)


def with_table_open(page: Page) -> Locator:
    """The card of Occlusion, its table of regions opened at a key."""
    page.goto(ADDRESS)
    has_regions(page, "occlusion")
    card = page.locator("#explain-card-occlusion")
    card.locator("summary").press("Enter")
    return card


def test_the_same_is_listed_at_a_key_the_strongest_first(page: Page) -> None:
    card = with_table_open(page)
    rows = card.locator(".regions-table tbody tr")
    expect(rows.first).to_be_visible()
    told = page.request.get("/api/explain?sample=melanoma&target=mel&method=occlusion").json()["regions"]
    expect(rows).to_have_count(len(told))
    expect(rows.first.locator("th")).to_have_text(str(told[0]["region"]))
    expect(card.locator("#explain-regions-note-occlusion")).to_have_text("The method gives no interval.")


def test_a_row_that_has_the_focus_is_outlined_in_the_map_and_arrow_keys_lead_on(page: Page) -> None:
    card = with_table_open(page)
    rows = card.locator(".regions-table tbody tr")
    rows.first.focus()
    first = card.evaluate("card => card.style.getPropertyValue('--region')")
    assert "url(" in first
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    expect(rows.nth(1)).to_have_css("outline-style", "solid")
    assert card.evaluate("card => card.style.getPropertyValue('--region')") not in ("", first)


def test_maps_say_how_far_they_agree_as_programs_are_told(page: Page) -> None:
    page.goto(ADDRESS)
    for method in ("gradcam", "occlusion"):
        has_regions(page, method)
    told = page.request.get("/api/explain?sample=melanoma&target=mel&methods=occlusion").json()["agreement"]
    number = f"{told['occlusion']:.2f}".replace("-", "−")
    expect(page.locator("#explain-agreement-gradcam")).to_contain_text(f"Agreement by region: Occlusion {number} (rank")
    expect(page.locator("#explain-agreement-occlusion")).to_contain_text(
        f"Agreement by region: Grad-CAM {number} (rank"
    )
    page.locator("#explain-methods").press("Backspace")
    expect(page.locator("#explain-agreement-gradcam")).to_have_text("")

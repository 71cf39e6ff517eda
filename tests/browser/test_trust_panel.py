"""The trust panel below a heatmap as a person uses it."""

import json

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.test_explain_page import SLOW, expect_heatmap

ADDRESS = "/explain?sample=melanoma&target=mel&against=nv&methods=gradcam"


def is_stopped_occlusion(frame: str | bytes) -> bool:
    answer = json.loads(frame)
    return [answer.get(name) for name in ("about", "method", "state")] == ["trust", "occlusion", "stopped"]


def judged(page: Page, method: str) -> None:
    expect(page.locator(f"#explain-trust-panel-{method}")).to_have_attribute("data-trust", "done", timeout=SLOW)


def test_a_map_is_judged_once_it_is_there_and_its_curves_open_at_a_key(page: Page) -> None:
    page.goto(ADDRESS)
    expect_heatmap(page, "gradcam")
    judged(page, "gradcam")
    expect(page.locator("#explain-trust-chips-gradcam .trust-chip")).to_have_count(4)
    expect(page.locator("#explain-trust-note-gradcam")).to_have_text("")  # a phantom's lesion is known
    page.locator("#explain-trust-curves-gradcam").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Grad-CAM: mel rather than nv")
    expect(dialog.locator(".trust-verdicts > li")).to_have_count(4)
    expect(dialog.locator(".js-plotly-plot .scatterlayer .trace")).to_have_count(8)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_verdicts_that_were_lost_with_the_connection_are_measured_again(page: Page) -> None:
    opened = []

    def lose_the_first(socket: WebSocketRoute) -> None:
        opened.append(socket)
        server = socket.connect_to_server()
        if len(opened) == 1:
            socket.on_message(lambda sent: socket.close() if '"trust"' in str(sent) else server.send(sent))

    page.route_web_socket("**/api/connection", lose_the_first)
    page.goto(ADDRESS)
    expect(page.locator("#explain-trust-note-gradcam")).to_contain_text("the connection to the server was lost")
    page.get_by_role("button", name="Measure again what Grad-CAM is worth").click()
    judged(page, "gradcam")
    expect(page.get_by_role("button", name="Measure again what Grad-CAM is worth")).to_be_hidden()


def test_what_was_judged_is_remembered(page: Page) -> None:
    page.goto(ADDRESS)
    judged(page, "gradcam")
    before = page.locator("#explain-trust-chips-gradcam").inner_text()
    page.locator("a[href*='/metrics']").first.click()
    page.go_back()
    judged(page, "gradcam")
    assert page.locator("#explain-trust-chips-gradcam").inner_text() == before


def test_a_map_whose_method_is_not_chosen_any_more_is_not_judged_until_it_is_again(page: Page) -> None:
    with page.expect_websocket(lambda socket: socket.url.endswith("/api/connection")) as connection:
        page.goto("/explain?sample=naevus&target=mel&methods=gradcam,occlusion")
    expect_heatmap(page, "occlusion")
    with connection.value.expect_event("framereceived", is_stopped_occlusion, timeout=SLOW):
        page.locator("#explain-methods").press("Backspace")  # Occlusion was chosen last
        expect(page.locator("#explain-card-occlusion")).to_be_hidden()
    judged(page, "gradcam")
    page.locator("#explain-methods").click()
    page.get_by_role("option", name="Occlusion", exact=True).click()
    judged(page, "occlusion")


def test_the_curves_are_also_shown_on_the_other_baselines(page: Page) -> None:
    page.goto(ADDRESS)
    judged(page, "gradcam")
    page.locator("#explain-trust-curves-gradcam").click()
    dialog = page.get_by_role("dialog", name="Grad-CAM: mel rather than nv")
    expect(dialog.locator(".xtitle").first).to_have_text("Pixels hidden behind the mean colour · lower is better")
    page.get_by_role("radio", name="As judged").press("ArrowRight")
    expect(dialog.locator(".xtitle").first).to_have_text("Pixels hidden by blurring them · lower is better")
    expect(dialog.locator(".trust-verdicts")).to_contain_text("With the baselines exchanged:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_it_fits(page: Page, scheme: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(ADDRESS)
    judged(page, "gradcam")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#explain-trust-curves-gradcam").click()
    plot = page.locator("#explain-curves-graph .main-svg").first
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390

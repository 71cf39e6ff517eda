"""The Explain page as a person uses it."""

import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from app.method_choice import DEFAULT_METHODS
from model.classes import DIAGNOSES
from model.phantoms import sample
from tests.model.hostile import encoded
from tests.model.strange_images import photographs

ALL_METHODS_FOR = 40 if os.environ.get("LESIONLENS_ALL_ORIGINALS") else 2
SLOW = 300_000
PHANTOM = {"name": "phantom.png", "mimeType": "image/png", "buffer": encoded(sample("naevus").image, "PNG")}
BROKEN = {"name": "broken.png", "mimeType": "image/png", "buffer": PHANTOM["buffer"][:5000]}

HOLD_WHAT_IS_ASKED_OF_PYTHON = """() => {
  const [client, held] = [window.dash_clientside, []];
  const send = client.set_props;
  client.set_props = (id, props) => (id === "explain-current" ? held.push(props) : send(id, props));
  window.release = () => {
    client.set_props = send;
    held.forEach((props) => send("explain-current", props));
  };
}"""


def upload(page: Page, *files: object) -> None:
    page.locator("#explain-upload input[type=file]").set_input_files(list(files))


def card(page: Page, method: str) -> Locator:
    return page.locator(f".heat-card[data-method={method}]")


def expect_state(page: Page, method: str, state: str) -> None:
    expect(card(page, method)).to_have_attribute("data-state", state, timeout=SLOW)


def map_source(page: Page, method: str) -> str:
    return page.locator(f"#explain-map-{method}").get_attribute("src") or ""


def expect_heatmap(page: Page, method: str) -> None:
    """The finished map and its layer over the image are pictures that the browser could draw."""
    expect_state(page, method, "done")
    for kind in ("heat", "map"):
        width = page.locator(f"#explain-{kind}-{method}").evaluate(
            "image => image.decode().then(() => image.naturalWidth)"
        )
        assert width > 0


def probabilities(page: Page, number: int) -> dict[str, float]:
    """What the bars say of the image that was the `number`th to be opened, from 0."""
    rows = page.locator(f"[data-number='{number}'] .bar-row")
    expect(rows).to_have_count(len(DIAGNOSES))
    pairs = rows.evaluate_all("rows => rows.map(row => [row.dataset.code, Number(row.dataset.probability)])")
    return dict(pairs)


def choose(page: Page, control: str, name: str) -> None:
    page.locator(f"#explain-{control}").click()
    page.get_by_role("option", name=name).click()


def test_every_original_gets_probabilities_and_a_grad_cam(page: Page, originals: list[Path]) -> None:
    page.goto("/explain?methods=gradcam")
    upload(page, *originals)
    expect(page.locator("#explain-position")).to_have_text(f"1 of {len(originals)}", timeout=SLOW)
    for number, path in enumerate(originals):
        expect(page.locator("#explain-name")).to_have_text(path.name)
        assert sum(probabilities(page, number).values()) == pytest.approx(1, abs=1e-4)
        expect_heatmap(page, "gradcam")
        if number + 1 < len(originals):
            page.get_by_role("button", name="Next image").press("Enter")


def test_originals_one_after_another_get_three_heatmaps(page: Page, originals: list[Path]) -> None:
    page.goto("/explain")
    for number, path in enumerate(originals[:ALL_METHODS_FOR]):
        upload(page, path)
        expect(page.locator("#explain-name")).to_have_text(path.name)
        assert sum(probabilities(page, number).values()) == pytest.approx(1, abs=1e-4)
        for name in (diagnosis.name for diagnosis in DIAGNOSES):
            expect(page.locator("#explain-probabilities")).to_contain_text(name)
        for method in DEFAULT_METHODS:
            expect_heatmap(page, method)


def test_another_target_and_a_contrast_give_other_maps_and_another_address(page: Page) -> None:
    page.goto("/explain?sample=melanoma&methods=gradcam")
    expect(page.locator("#explain-question")).to_contain_text("the called class")
    expect_heatmap(page, "gradcam")
    called = map_source(page, "gradcam")

    choose(page, "target", "Dermatofibroma")
    expect(page.locator("#explain-question")).to_have_text("What speaks for Dermatofibroma.")
    expect(page.locator("#explain-map-gradcam")).not_to_have_attribute("src", called)
    expect_heatmap(page, "gradcam")
    target = map_source(page, "gradcam")

    choose(page, "against", "Melanocytic naevus")
    expect(page.locator("#explain-low-gradcam")).to_contain_text("for nv")
    expect_heatmap(page, "gradcam")
    assert map_source(page, "gradcam") not in {called, target}
    assert page.url.endswith("/explain?sample=melanoma&methods=gradcam&target=df&against=nv")


def test_an_address_opens_the_same_view(page: Page) -> None:
    page.goto("/explain?sample=vascular&target=mel&against=nv&view=gradcam")
    expect(page.locator("#explain-question")).to_have_text("What speaks for Melanoma, rather than Melanocytic naevus.")
    expect_heatmap(page, "gradcam")
    expect(page.locator(".synthetic-mark:visible")).to_have_text("synthetic")
    expect(card(page, "gradcam").get_by_alt_text("Original image").first).to_be_visible()
    expect(card(page, "lime")).to_be_hidden()


def test_averaging_over_flips_and_turns_is_switched_on_by_keyboard_and_kept_in_the_address(page: Page) -> None:
    page.goto("/explain?sample=melanoma&methods=gradcam")
    before = probabilities(page, 0)
    page.get_by_role("switch", name="Average over flips and turns").press("Space")
    expect(page).to_have_url(re.compile(r"[?&]tta=1(&|$)"))
    bar = page.locator("[data-number='0'] .bar-row[data-code=mel]")
    expect(bar).not_to_have_attribute("data-probability", f"{before['mel']:.6f}", timeout=SLOW)
    after = probabilities(page, 0)
    page.goto(page.url)
    assert probabilities(page, 0) == after


def test_a_photograph_is_flagged_above_its_probabilities(page: Page) -> None:
    astronaut = {"name": "astronaut.png", "mimeType": "image/png", "buffer": encoded(photographs()[0], "PNG")}
    page.goto("/explain?methods=gradcam")
    upload(page, astronaut, PHANTOM)
    warning = page.locator("#explain-novelty").get_by_role("alert")
    expect(warning).to_contain_text("This does not look like a dermatoscopic image")
    assert len(probabilities(page, 0)) == len(DIAGNOSES)
    boxes = [page.locator(place).bounding_box() for place in ("#explain-novelty", "#explain-probabilities")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    page.get_by_role("button", name="Next image").click()
    probabilities(page, 1)
    expect(warning).to_have_count(0)


def test_a_class_is_not_contrasted_with_itself(page: Page) -> None:
    page.goto("/explain?sample=hair&target=mel&against=mel&methods=gradcam")
    expect(page.locator("#explain-question")).to_contain_text("cannot be contrasted with itself")
    expect_heatmap(page, "gradcam")


def test_a_cancelled_lime_keeps_its_partial_map_and_can_be_run_again(page: Page) -> None:
    page.goto("/explain?sample=naevus&methods=lime,occlusion")
    expect(card(page, "lime")).to_have_attribute("data-map", "yes", timeout=SLOW)
    expect(card(page, "lime").get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#explain-status-lime")).to_contain_text("of 2,000 · ")
    page.get_by_role("button", name="Cancel LIME").click()
    expect_state(page, "lime", "stopped")
    expect(page.locator("#explain-status-lime")).to_contain_text("Cancelled")
    expect(page.locator("#explain-announce-lime")).to_have_text("LIME cancelled.")
    assert map_source(page, "lime").startswith("data:image/webp")
    expect_state(page, "occlusion", "done")

    page.get_by_role("button", name="Run LIME again").click()
    expect_heatmap(page, "lime")


def test_a_lost_connection_is_said_and_made_again(page: Page) -> None:
    opened = []

    def lose_the_first(socket: WebSocketRoute) -> None:
        opened.append(socket)
        if len(opened) == 1:
            socket.on_message(lambda _: socket.close())
        else:
            socket.connect_to_server()

    page.route_web_socket("**/api/connection", lose_the_first)
    page.goto("/explain?sample=melanoma&methods=gradcam")
    expect_state(page, "gradcam", "failed")
    expect(page.locator("#explain-status-gradcam")).to_contain_text("The connection to the server was lost.")
    page.get_by_role("button", name="Run Grad-CAM again").click()
    expect_heatmap(page, "gradcam")
    expect(page.locator("#explain-trust-panel-gradcam")).to_have_attribute("data-trust", "done", timeout=SLOW)


def test_finished_maps_are_remembered_when_paging_back(page: Page) -> None:
    page.goto("/explain?methods=shap")
    upload(page, PHANTOM)
    expect_heatmap(page, "shap")
    kept = map_source(page, "shap")
    upload(page, {**PHANTOM, "name": "second.png"})
    expect(page.locator("#explain-name")).to_have_text("second.png")
    page.get_by_role("button", name="Image 1: phantom.png").click()
    expect(page.locator("#explain-name")).to_have_text("phantom.png")
    expect_state(page, "shap", "done")
    assert map_source(page, "shap") == kept


def test_leaving_the_page_does_no_harm_and_work_goes_on(page: Page) -> None:
    page.goto("/explain?sample=ruler&methods=gradcam,shap")
    expect(card(page, "shap")).to_have_attribute("data-map", "yes", timeout=SLOW)
    page.get_by_label("Pages").first.get_by_text("Metrics").click()
    expect(card(page, "shap")).to_have_count(0, timeout=SLOW)
    page.go_back()
    for method in ("gradcam", "shap"):
        expect_heatmap(page, method)


def test_other_methods_are_chosen_and_kept_in_the_address(page: Page) -> None:
    page.goto("/explain?sample=melanoma&methods=gradcam,gaussian")
    for method in ("gradcam", "gaussian"):
        expect_heatmap(page, method)
    expect(card(page, "lime")).to_be_hidden()
    expect(card(page, "lime")).to_have_attribute("data-state", "idle")
    choose(page, "methods", "Edges")
    expect_heatmap(page, "edges")
    expect(page).to_have_url(re.compile(r"methods=gradcam%2Cgaussian%2Cedges"))


def test_a_layer_from_fine_to_coarse_is_chosen_and_kept_in_the_address(page: Page) -> None:
    page.goto("/explain?sample=melanoma&target=mel&methods=layercam")
    expect_heatmap(page, "layercam")
    coarse = map_source(page, "layercam")
    card(page, "layercam").get_by_text("12 × 12").click()
    expect(page.locator("#explain-map-layercam")).not_to_have_attribute("src", coarse)
    expect_heatmap(page, "layercam")
    finer = map_source(page, "layercam")
    assert finer != coarse
    expect(page).to_have_url(re.compile(r"layer=stage5_block0_expand_relu"))
    page.goto(page.url)
    expect_heatmap(page, "layercam")
    assert map_source(page, "layercam") == finer


def test_leaving_the_page_while_images_are_opened_loses_none(page: Page) -> None:
    names = [f"{number}.png" for number in range(12)]
    page.goto("/explain?methods=gradcam")
    upload(page, *({**PHANTOM, "name": name} for name in names))
    expect(page.locator("#explain-name")).to_have_text(names[0])
    page.get_by_label("Pages").first.get_by_text("Confusion").click()
    expect(page.locator("#explain-root")).to_have_count(0, timeout=SLOW)
    page.get_by_label("Pages").first.get_by_text("Explain").click()
    expect(page.locator("#explain-position")).to_have_text(f"1 of {len(names)}", timeout=SLOW)


def test_a_broken_file_is_reported_and_the_others_are_opened(page: Page, console_errors: list[str]) -> None:
    page.goto("/explain?methods=gradcam")
    upload(page, BROKEN, PHANTOM)
    expect(page.get_by_role("alert")).to_contain_text("broken.png could not be opened")
    expect(page.get_by_role("alert")).to_contain_text("damaged or incomplete")
    page.get_by_role("button", name="Next image").click()
    assert len(probabilities(page, 1)) == len(DIAGNOSES)
    expect_heatmap(page, "gradcam")
    refused = [text for text in console_errors if "422" in text]
    assert len(refused) == 1
    console_errors.remove(refused[0])


def test_passing_over_a_broken_file_cancels_no_map_for_good(page: Page, console_errors: list[str]) -> None:
    page.goto("/explain?methods=scorecam")
    upload(page, {**PHANTOM, "name": "a.png"}, BROKEN)
    expect(page.locator("#explain-position")).to_have_text("1 of 2")
    expect_state(page, "scorecam", "running")
    page.get_by_role("button", name="Next image").press("Enter")
    expect(page.locator("#explain-failed-name")).to_contain_text("broken.png")
    page.get_by_role("button", name="Previous image").press("Enter")
    expect_state(page, "scorecam", "done")
    console_errors.remove(next(text for text in console_errors if "422" in text))


def test_a_map_that_waits_is_cancelled_at_once(page: Page) -> None:
    page.goto("/explain?sample=melanoma&methods=scorecam,shap_superpixels,rise")
    expect_state(page, "shap_superpixels", "running")
    expect_state(page, "rise", "waiting")
    clicked = "button => { button.click(); return button.closest('.heat-card').dataset.state }"
    assert page.get_by_role("button", name="Cancel RISE").evaluate(clicked) == "stopped"
    page.get_by_role("button", name="Cancel SHAP by superpixel").click()
    expect_state(page, "shap_superpixels", "stopped")
    expect_state(page, "rise", "stopped")


def test_nothing_is_said_of_another_image_than_is_shown(page: Page) -> None:
    page.goto("/explain?methods=gradcam")
    upload(page, {**PHANTOM, "name": "a.png"}, {**PHANTOM, "name": "b.png"})
    expect(page.locator("#explain-position")).to_have_text("1 of 2")
    page.get_by_role("button", name="Next image").press("Enter")
    assert probabilities(page, 1)
    page.evaluate(HOLD_WHAT_IS_ASKED_OF_PYTHON)
    page.get_by_role("button", name="Previous image").press("Enter")
    expect(page.locator("#explain-name")).to_have_text("a.png")
    expect(page.locator("#explain-probabilities")).to_be_hidden()
    page.evaluate("window.release()")
    assert probabilities(page, 0)
    expect(page.locator("#explain-probabilities")).to_be_visible()


def test_the_opacity_is_changed_by_keyboard_without_asking_the_server(page: Page) -> None:
    page.goto("/explain?sample=naevus&methods=gradcam")
    expect_heatmap(page, "gradcam")
    before = page.locator("#explain-heat-gradcam").evaluate("image => getComputedStyle(image).opacity")
    page.get_by_role("slider", name="Heatmap opacity").press("Home")
    expect(page.locator("#explain-heat-gradcam")).to_have_css("opacity", "0")
    assert float(before) > 0


def test_png_and_npz_are_downloaded(page: Page) -> None:
    page.goto("/explain?sample=melanoma&target=mel&against=nv&methods=gradcam")
    expect_heatmap(page, "gradcam")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Grad-CAM as NPZ").click()
    assert download.value.suggested_filename == "melanoma_gradcam_mel_rather_than_nv.npz"
    with np.load(io.BytesIO(Path(download.value.path()).read_bytes()), allow_pickle=False) as arrays:
        assert arrays["values"].ndim == 2
        assert json.loads(str(arrays["metadata"]))["target"] == {"code": "mel", "against": "nv"}
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Grad-CAM as PNG").click()
    assert download.value.suggested_filename == "melanoma_gradcam_mel_rather_than_nv.png"
    with Image.open(download.value.path()) as picture:
        assert picture.format == "PNG"
        assert picture.width >= 600


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_is_no_wider_than_the_window_and_always_says_what_it_is_not(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/explain?sample=naevus&methods=gradcam,gaussian,edges")
    expect_heatmap(page, "gradcam")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator(".notice:visible")).to_have_text("Teaching and research tool, not for diagnosis")


def test_light_and_dark_are_switched(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/explain")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_a_refused_ensemble_says_why_and_leaves_the_model_s_probabilities(
    page: Page, console_errors: list[str]
) -> None:
    page.goto("/explain?sample=melanoma&methods=gradcam")
    expect_heatmap(page, "gradcam")
    expect(page.locator("#explain-folds-said")).to_contain_text("folds", timeout=SLOW)
    before = probabilities(page, 0)
    page.route("**/api/predict?*", lambda route: route.fulfill(status=422, json={"detail": "A fold is damaged."}))
    page.get_by_label("Ensemble of 5 folds").click()
    expect(page.locator("#explain-opening")).to_have_text("A fold is damaged.")
    expect(page.get_by_label("Ensemble of 5 folds")).not_to_be_checked()
    expect(page).not_to_have_url(re.compile("ensemble"))
    assert probabilities(page, 0) == before
    assert "422" in console_errors.pop()

"""Milliseconds from a user's question to the first map of LIME and of SHAP on the Explain page, drawn by Chromium.

`reference_ms` is the half second that people take for at once. Every question is another class of one image: the page,
the picture and its superpixels are there already.
"""

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, expect, sync_playwright

from model.bundle import DEFAULT_BUNDLE
from model.classes import DIAGNOSES
from tests.benchmarks.medians import compared
from tests.browser.conftest import LAUNCH, chromium_path, serving

METHODS = ("lime", "shap")
AT_ONCE_MS = 500.0
CALLED = "melanoma"  # the sample, and what the model says of it
WAIT_MS = 300_000
ASK = """([method, target]) => new Promise((resolve) => {
  const picture = document.getElementById(`explain-map-${method}`);
  const [started, before] = [performance.now(), picture.getAttribute("src")];
  const observer = new MutationObserver(() => {
    const source = picture.getAttribute("src");
    if (!source || source === before) return;
    observer.disconnect();
    picture.decode().then(() => resolve(performance.now() - started));
  });
  observer.observe(picture, { attributes: true, attributeFilter: ["src"] });
  window.dash_clientside.set_props("explain-target", { value: target });
})"""


def measure() -> dict[str, object]:
    with (
        TemporaryDirectory() as folder,
        serving(DEFAULT_BUNDLE, Path(folder) / "output.txt") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(playwright), args=LAUNCH)
        page = browser.new_page(base_url=address, viewport={"width": 1440, "height": 900})
        lime, shap = (round(statistics.median(_first_maps(page, method))) for method in METHODS)
        browser.close()
    return compared("first_map", max(lime, shap), AT_ONCE_MS, reference="half a second", lime_ms=lime, shap_ms=shap)


def _first_maps(page: Page, method: str) -> list[float]:
    """What the first map of each class takes, but for the called one: its map is there already."""
    page.goto(f"/explain?sample={CALLED}&methods={method}")
    taken = []
    for diagnosis in DIAGNOSES:
        if diagnosis.name.lower() == CALLED:
            continue
        expect(page.locator(f"#explain-card-{method}")).to_have_attribute("data-state", "done", timeout=WAIT_MS)
        taken.append(page.evaluate(ASK, [method, diagnosis.code]))
    return taken

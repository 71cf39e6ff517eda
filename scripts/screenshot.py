"""Make the README's picture: the Explain page with a synthetic phantom, so that no patient's image is in it.

    python -m scripts.screenshot                                    writes docs/explain.png
    python -m scripts.screenshot --all DIR [--data PATH]            every page, 1440 and 390 px wide, light and dark

Pictures made with --data show the data set's images: never commit them.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from app import urls
from model.bundle import DEFAULT_BUNDLE

ROOT = Path(__file__).parent.parent
EXPLAINED = "document.querySelectorAll('.heat-card[data-state=done]').length === 3"
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WAIT_MS = 300_000
SETTLED_MS = 3_000  # Plotly and the grid draw after the page is there, and say so to nobody
CASE = "ISIC_0031406"
PAGES = {
    "explain_empty": urls.explain(),
    "explain": urls.explain(sample="melanoma", target="mel", against="nv"),
    "cases": urls.cases(),
    "case": urls.case(CASE),
    "metrics": urls.metrics(),
    "confusion": urls.confusion(),
    "pair": urls.pair("mel", "nv"),
    "leakage": urls.leakage(),
    "explanations": urls.explanations(),
    "card": urls.card(),
}


def main() -> None:
    """Start a server and take the pictures."""
    parser = argparse.ArgumentParser(description="Take pictures of the dashboard.")
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE)
    parser.add_argument("--data", type=Path, help="data set whose images are shown")
    parser.add_argument("--all", type=Path, metavar="DIR", help="take every page into this folder")
    arguments = parser.parse_args()
    with served(arguments.model, arguments.data) as address, sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        if arguments.all is None:
            (ROOT / "docs").mkdir(exist_ok=True)
            page = opened(browser, address, "explain", 1440, "light")
            page.screenshot(path=ROOT / "docs" / "explain.png")
            return
        for name in PAGES:
            for width in (1440, 390):
                for scheme in SCHEMES:
                    page = opened(browser, address, name, width, scheme)
                    page.screenshot(path=arguments.all / f"{name}_{width}_{scheme}.png", full_page=True)
                    page.close()


def opened(browser: Browser, address: str, name: str, width: int, scheme: Scheme) -> Page:
    """A page of the dashboard once it shows all that it will."""
    page = browser.new_page(viewport={"width": width, "height": 1060}, color_scheme=scheme)
    page.goto(address + PAGES[name])
    page.wait_for_selector("#page h1", timeout=WAIT_MS)
    page.wait_for_timeout(SETTLED_MS)
    if name == "explain":
        page.wait_for_function(EXPLAINED, timeout=WAIT_MS)
    return page


@contextmanager
def served(model: Path, data: Path | None) -> Iterator[str]:
    """A server on a free port, stopped at the end; gives its address."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--model", str(model.resolve())]
    if data is not None:
        command += ["--data", str(data.resolve())]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            if found is None:
                raise SystemExit("The server did not start.")
            yield found.group()
        finally:
            server.terminate()


if __name__ == "__main__":
    main()

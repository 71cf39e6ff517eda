"""Make the README's picture: the Explain page with a synthetic phantom, so that no patient's image is in it.

python scripts/screenshot.py [--model BUNDLE] [--out docs/explain.png]
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from model.bundle import DEFAULT_BUNDLE

ROOT = Path(__file__).parent.parent
PAGE = "/explain?sample=melanoma&target=mel&against=nv"
SERVE = [sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main())", "serve", "--port", "0"]
EXPLAINED = "document.querySelectorAll('.heat-card[data-state=done]').length === 3"
WAIT_MS = 300_000


def main() -> None:
    """Start a server, open the page in Chromium, and take the picture once all explanations are there."""
    parser = argparse.ArgumentParser(description="Make the README's picture.")
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "explain.png")
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    command = [*SERVE, "--model", str(arguments.model.resolve())]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            if found is None:
                raise SystemExit("The server did not start.")
            take(found.group() + PAGE, arguments.out)
        finally:
            server.terminate()


def take(address: str, out: Path) -> None:
    """Write the page at `address` to `out`, 1440 pixels wide."""
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 1060}, color_scheme="light")
        page.goto(address)
        page.wait_for_function(EXPLAINED, timeout=WAIT_MS)
        page.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    main()

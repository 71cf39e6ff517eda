"""A real server and a real browser."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, Request, expect, sync_playwright

from model.bundle import ModelBundle
from tests.conftest import HAM10000, ROOT

START_SECONDS = 60
expect.set_options(timeout=30_000)
LAUNCH = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def chromium_path(playwright: Playwright) -> str | None:
    """Where Chromium is: as the environment says, Debian's, or Playwright's own."""
    places = [os.environ.get("CHROMIUM"), "/usr/bin/chromium", playwright.chromium.executable_path]
    return next((place for place in places if place and Path(place).exists()), None)


def wait_for_address(process: subprocess.Popen[bytes], output: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"http://\S+", output.read_text())
        if found:
            return found.group()
        time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{output.read_text()}")


@pytest.fixture(scope="package")
def server_output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "output.txt"


@contextmanager
def serving(bundle: Path, output: Path) -> Iterator[str]:
    """The address of a server with the bundle, and with the images where they are; what it says goes to `output`."""
    lesionlens = [sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main())"]
    data = ["--data", str(HAM10000)] if HAM10000.is_dir() else []
    command = [*lesionlens, "serve", "--port", "0", "--model", str(bundle), *data]
    with (
        output.open("wb") as file,
        subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield wait_for_address(process, output)
        finally:
            process.terminate()


@pytest.fixture(scope="package")
def server(bundle: ModelBundle, server_output: Path) -> Iterator[str]:
    """The address of one server for all tests here; it ends with them, and leaves its cores to the others."""
    with serving(bundle.path, server_output) as address:
        yield address


@pytest.fixture(scope="package")
def browser(server: str) -> Iterator[BrowserContext]:
    """Chromium with an empty profile, whose cache all tests share, as a person's visits do.

    For this package only: Playwright's event loop would be in the way of the tests that run their own.
    """
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            pytest.skip("Chromium is neither at $CHROMIUM nor at /usr/bin/chromium, nor has Playwright its own")
        browser = playwright.chromium.launch(executable_path=path, args=LAUNCH)
        # Without a graphics card what moves takes the core that the server works on.
        yield browser.new_context(viewport={"width": 1440, "height": 900}, base_url=server, reduced_motion="reduce")
        browser.close()


@pytest.fixture
def console_errors() -> list[str]:
    """What the browser complained of; a test that expects complaints takes them out."""
    return []


@pytest.fixture
def page(browser: BrowserContext, server: str, server_output: Path, console_errors: list[str]) -> Iterator[Page]:
    """A new tab of 1440 × 900; errors in its console, and requests to other hosts, fail the test."""
    foreign: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            console_errors.append(message.text)

    def note_request(request: Request) -> None:
        if not request.url.startswith((server, server.replace("http", "ws", 1), "data:", "blob:")):
            foreign.append(request.url)

    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.on("console", note_console)
    page.on("pageerror", lambda error: console_errors.append(str(error)))
    page.on("request", note_request)
    yield page
    page.evaluate("localStorage.clear()")
    page.close()
    print(server_output.read_text())
    assert foreign == []
    assert console_errors == []

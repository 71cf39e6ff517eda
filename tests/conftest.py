"""Where the tests find real images and a model."""

import os
from pathlib import Path

import pandas as pd
import pytest

from model.bundle import DEFAULT_BUNDLE, ModelBundle, load_bundle
from model.cases import load_cases
from model.prediction import Predictor

ROOT = Path(__file__).parents[1]
HAM10000 = ROOT.parent / "shared" / "ham10000"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Of two processes one would be left alone with a slow file that is begun last.
BEGUN_FIRST = ("test_train_command", "test_audit_command", "test_api", "test_importing", "test_against_quantus")


def pytest_configure() -> None:
    """Give each of xdist's processes a core: with threads for all cores in each they would be in each other's way."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the rest stays as it was."""
    places = {name: place for place, name in enumerate(BEGUN_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def ham10000() -> Path:
    """The HAM10000 images; they are not part of the repository."""
    if not HAM10000.is_dir():
        pytest.skip(f"the HAM10000 images are not at {HAM10000}")
    return HAM10000


@pytest.fixture(scope="session")
def ham10000_cases(ham10000: Path) -> pd.DataFrame:
    return load_cases(ham10000)


@pytest.fixture(scope="session")
def originals(ham10000: Path) -> list[Path]:
    """Forty images as published, 600×450."""
    return sorted((ham10000 / "originals").glob("*.jpg"))


@pytest.fixture(scope="session")
def bundle() -> ModelBundle:
    """The shipped model."""
    return load_bundle(DEFAULT_BUNDLE)


@pytest.fixture(scope="session")
def predictor(bundle: ModelBundle) -> Predictor:
    return Predictor(bundle)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test fails the run: everything that it could need is there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("LESIONLENS_NO_SKIP") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

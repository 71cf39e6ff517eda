from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.server import create_app
from model.bundle import ModelBundle, load_bundle
from tests.app.tiny_training import TINY, train


@pytest.fixture(scope="session")
def client(bundle: ModelBundle) -> Iterator[TestClient]:
    with TestClient(create_app(bundle.path)) as client:
        yield client


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where trainings keep the images that they have opened."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def tiny(ham10000: Path, cache: Path) -> tuple[str, ...]:
    """The arguments of a training that takes seconds."""
    return ("--data", str(ham10000), "--cache", str(cache), *TINY)


@pytest.fixture(scope="session")
def uninterrupted(tiny: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """What that training gives."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert train(folder, *tiny) == 0
    return load_bundle(folder / "bundle")

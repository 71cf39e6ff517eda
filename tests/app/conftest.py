from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.server import create_app
from model.bundle import ModelBundle


@pytest.fixture(scope="session")
def client(bundle: ModelBundle) -> Iterator[TestClient]:
    with TestClient(create_app(bundle.path)) as client:
        yield client

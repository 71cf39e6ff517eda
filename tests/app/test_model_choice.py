"""Several models in one dashboard: each at an address of its own, opened when somebody asks for it."""

import json
import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import model_choice, server, urls
from app.context import Context
from app.heatmaps import attribution_from
from app.model_choice import selectable
from model.bundle import DEFAULT_BUNDLE, SHIPPED, TRAINED, ModelBundle, folds, load_bundle
from tests.app.test_connection import received_until
from tests.app.test_streaming import REQUEST
from tests.app.two_folds import two_folds

FIRST, SECOND = "toy_lesion_fold0_192px", "toy_lesion_fold1_192px"
OTHER = f"/models/{SECOND}"
FROM_SCRATCH = "/models/lesion_cnn_lesion_fold0_112px"


@pytest.fixture(scope="module")
def two(bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_folds(bundle, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def client(two: Path) -> Iterator[TestClient]:
    with TestClient(server.create_app(two)) as client:
        yield client


def test_the_served_model_its_folds_and_the_shipped_ones_can_be_chosen(two: Path) -> None:
    shipped = [path.parent.name for path in SHIPPED.glob("*/card.json")]
    assert list(selectable(load_bundle(two))) == [FIRST, SECOND, *sorted(shipped)]
    assert next(iter(selectable(load_bundle(DEFAULT_BUNDLE)))) == DEFAULT_BUNDLE.name


def test_a_bundle_in_the_folder_of_its_training_is_called_after_that(bundle: ModelBundle, tmp_path: Path) -> None:
    path = tmp_path / "mine_lesion_fold3_192px" / TRAINED
    copytree(bundle.path, path)
    assert next(iter(selectable(load_bundle(path)))) == "mine_lesion_fold3_192px"


def test_a_damaged_fold_is_left_out_and_the_log_says_why(
    bundle: ModelBundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = two_folds(bundle, tmp_path)
    (folds(first)[1] / "serving.onnx").unlink()
    with caplog.at_level(logging.WARNING):
        assert SECOND not in selectable(load_bundle(first))
    assert "serving.onnx" in caplog.text


def test_each_model_answers_below_its_own_address(client: TestClient) -> None:
    assert client.get("/api/health").json()["model"] == FIRST
    assert client.get(f"{OTHER}/api/health").json()["model"] == SECOND
    sample = "/api/samples/melanoma"
    assert client.get(sample).json()["probabilities"] != client.get(f"{OTHER}{sample}").json()["probabilities"]


def test_the_served_model_s_own_name_leads_to_it(client: TestClient) -> None:
    answer = client.get(f"/models/{FIRST}/explain?sample=hair&target=mel", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/explain?sample=hair&target=mel")


def test_no_address_leads_to_another_host(client: TestClient) -> None:
    answer = client.get(f"/models/{FIRST}//example.org/", follow_redirects=False)
    assert answer.headers["location"] == "/example.org/"


def test_the_shipped_network_from_scratch_is_explained_like_the_pretrained_one(client: TestClient) -> None:
    answer = client.get(f"{FROM_SCRATCH}/api/explain?sample=melanoma&method=gradcam").json()
    assert np.array(answer["attribution"]["values"]).shape == (14, 14)
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("page", ["", "/", "/explain", "/cases?diagnosis=mel"])
def test_another_model_s_document_names_its_own_addresses_and_styles(client: TestClient, page: str) -> None:
    answer = client.get(f"{OTHER}{page}")
    assert answer.status_code == 200
    config = json.loads(re.findall(r'id="_dash-config"[^>]*>(.*?)</script>', answer.text)[0])
    assert config["requests_pathname_prefix"] == f"{OTHER}/"
    assert config["websocket"]["url"] == f"{OTHER}/_dash-ws-callback"
    files = re.findall(r'(?:src|href)="(/[^"]+)"', answer.text)
    assert files
    for file in files:
        assert file.startswith(f"{OTHER}/")
        assert client.get(file).status_code == 200


def test_every_link_of_another_model_s_frame_stays_with_it(client: TestClient) -> None:
    assert f"{OTHER}/metrics" in frame_links(client, OTHER)
    assert all(link.startswith(f"{OTHER}/") for link in frame_links(client, OTHER))
    assert "/metrics" in frame_links(client, "")
    assert not any(link.startswith("/models") for link in frame_links(client, ""))


def frame_links(client: TestClient, root: str) -> list[str]:
    frame = json.dumps(client.get(f"{root}/_dash-layout").json())
    return re.findall(r'"href": "(/[^"]*)"', frame)


def test_its_pages_come_over_its_own_websocket_with_its_own_links(client: TestClient) -> None:
    page = shown(client, OTHER, "/confusion")
    assert f"{OTHER}/api/confusion.csv" in page
    assert f"{OTHER}/cases?diagnosis=mel" in page
    assert '"/cases?' not in page
    assert OTHER not in shown(client, "", "/confusion")


def test_its_maps_are_its_own_too(client: TestClient) -> None:
    sides = []
    for root in ("", FROM_SCRATCH):
        with client.websocket_connect(f"{root}{urls.CONNECTION}") as socket:
            socket.send_json(asdict(REQUEST))
            found = received_until(socket, "done")[-1]
            sides.append(attribution_from(found["map"]["npz"]).values.shape)
    assert sides == [(6, 6), (14, 14)]


def shown(client: TestClient, root: str, path: str) -> str:
    """What the router sends for a page, as the browser asks for it."""
    request = {
        "output": "page.children",
        "outputs": {"id": "page", "property": "children"},
        "inputs": [
            {"id": "location", "property": "pathname", "value": root + path},
            {"id": "location", "property": "search", "value": ""},
        ],
        "changedPropIds": ["location.pathname"],
        "state": [],
    }
    message = {"type": "callback_request", "requestId": "1", "rendererId": "test", "payload": request}
    headers = {"Origin": "http://testserver"}
    with client.websocket_connect(f"{root}/_dash-ws-callback", headers=headers) as socket:
        socket.send_json(message)
        return json.dumps(socket.receive_json())


def test_the_models_are_listed(client: TestClient) -> None:
    listed = {model["name"]: model for model in client.get("/api/models").json()}
    assert (listed[FIRST]["address"], listed[SECOND]["address"]) == ("/", f"{OTHER}/")
    assert [name for name, model in listed.items() if model["shown"]] == [FIRST]
    theirs = client.get(f"{OTHER}/api/models").json()
    assert [model["name"] for model in theirs if model["shown"]] == [SECOND]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_api_of_an_unknown_model_says_which_there_are(client: TestClient, method: str) -> None:
    answer = client.request(method, "/models/tea/api/predict")
    assert answer.status_code == 404
    assert re.match(f"There is no model 'tea'; there are {FIRST}, {SECOND}", answer.json()["detail"])


def test_the_page_of_an_unknown_model_says_which_there_are(client: TestClient) -> None:
    assert client.get("/models/tea/explain").status_code == 404
    page = shown(client, "", "/models/tea/explain")
    assert "There is no model 'tea' here" in page
    assert '"href": "/explain"' in page
    assert f'"href": "{OTHER}/explain"' in page


def test_a_model_is_opened_once_at_its_first_request_and_in_a_thread(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def note(context: Context, root: str = "") -> FastAPI:
        opened.append((root, threading.current_thread() is loop_thread))
        return make(context, root)

    make = server._model_app
    monkeypatch.setattr(server, "_model_app", note)
    loop_thread = threading.current_thread()
    with TestClient(server.create_app(two)) as client:
        assert [root for root, _ in opened] == [""]
        loop_thread = client.portal.call(threading.current_thread) if client.portal else loop_thread
        for _ in range(2):
            assert client.get(f"{OTHER}/api/health").status_code == 200
    assert opened[1:] == [(OTHER, False)]


def test_a_model_that_could_not_be_opened_is_tried_anew(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = server.create_app(two)
    make = server._model_app

    def fail(*_: object) -> None:
        raise MemoryError

    with TestClient(app, raise_server_exceptions=False) as client:
        monkeypatch.setattr(server, "_model_app", fail)
        assert client.get(f"{OTHER}/api/health").status_code == 500
        monkeypatch.setattr(server, "_model_app", make)
        assert client.get(f"{OTHER}/api/health").status_code == 200


def test_slow_explanations_of_all_models_queue_together(two: Path) -> None:
    app = server.create_app(two)
    other = replace(app.state.context, bundle=app.state.context.models[SECOND].bundle)
    assert other.explanation_threads is app.state.context.explanation_threads
    assert model_choice.root_of(other, SECOND) == OTHER

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app import connection, urls
from app.context import Context
from app.server import create_app
from app.streaming import MapRequest, Send
from model.bundle import ModelBundle
from tests.app.test_streaming import REQUEST

ASKED = asdict(REQUEST)


@pytest.fixture(scope="module")
def server(bundle: ModelBundle) -> FastAPI:
    return create_app(bundle.path)


@pytest.fixture(scope="module")
def client(server: FastAPI) -> Iterator[TestClient]:
    with TestClient(server) as client:
        yield client


def received_until(socket: WebSocketTestSession, state: str) -> list[dict[str, Any]]:
    answers = [socket.receive_json()]
    while answers[-1].get("state") != state:
        answers.append(socket.receive_json())
    return answers


def test_a_map_is_asked_for_and_then_what_it_is_worth(client: TestClient) -> None:
    with client.websocket_connect(urls.CONNECTION) as socket:
        socket.send_json(ASKED)
        found, regions = socket.receive_json(), socket.receive_json()
        assert [found[name] for name in ("about", "method", "id", "state")] == ["map", "gradcam", "1", "done"]
        assert [regions[name] for name in ("about", "method", "id")] == ["regions", "gradcam", "1"]
        question = {"ask": "trust", "id": "2", "method": "gradcam", "input": ASKED["input"], "npz": found["map"]["npz"]}
        socket.send_json(question)
        judged = received_until(socket, "done")
    assert {(answer["about"], answer["method"], answer["id"]) for answer in judged} == {("trust", "gradcam", "2")}
    figure = judged[-1]["figures"]["deciding"]
    assert len(figure["data"]) == 8


class Unending:
    """A map that is never complete; knows whether it was stopped."""

    def __init__(self) -> None:
        self.stops: list[threading.Event] = []

    async def stream(self, context: Context, request: MapRequest, stop: threading.Event, send: Send) -> None:
        self.stops.append(stop)
        send("map", {"state": "running"})
        while not stop.is_set():
            await asyncio.sleep(0)
        send("map", {"state": "stopped"})


@pytest.fixture
def unending(monkeypatch: pytest.MonkeyPatch) -> Unending:
    unending = Unending()
    monkeypatch.setattr(connection, "stream_explanation", unending.stream)
    return unending


def test_a_map_is_stopped_on_request_and_by_the_next_question_and_no_other_is(
    client: TestClient, server: FastAPI, unending: Unending
) -> None:
    with client.websocket_connect(urls.CONNECTION) as socket:
        for number, method in enumerate(("lime", "lime", "shap")):
            socket.send_json({**ASKED, "id": str(number), "method": method})
        answers = [socket.receive_json() for _ in range(4)]
        assert [answer["id"] for answer in answers if answer["state"] == "stopped"] == ["0"]
        socket.send_json({"ask": "stop", "about": "map", "method": "shap"})
        answer = socket.receive_json()
        assert (answer["id"], answer["state"]) == ("2", "stopped")
        assert [stop.is_set() for stop in unending.stops] == [True, False, True]
        assert len(server.state.context.maps) == 1
    assert all(stop.is_set() for stop in unending.stops)


def test_what_a_tab_has_asked_for_ends_with_its_connection(
    client: TestClient, server: FastAPI, unending: Unending
) -> None:
    with client.websocket_connect(urls.CONNECTION) as socket:
        socket.send_json(ASKED)
        assert socket.receive_json()["state"] == "running"
    assert unending.stops[0].is_set()
    assert len(server.state.context.maps) == 0


@pytest.mark.parametrize(
    "message",
    [
        "tea",
        "{}",
        json.dumps({**ASKED, "method": "tea"}),
        json.dumps({**ASKED, "ask": "tea"}),
        json.dumps({**ASKED, "width": 0}),
        json.dumps({"ask": "stop", "about": "tea", "method": "lime"}),
    ],
)
def test_who_talks_nonsense_is_not_listened_to(client: TestClient, message: str) -> None:
    with client.websocket_connect(urls.CONNECTION) as socket:
        socket.send_text(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1007


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://testserver.elsewhere.example", "null"])
def test_a_page_of_another_site_is_refused(client: TestClient, origin: str) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(urls.CONNECTION, headers={"Origin": origin}),
    ):
        pass


def test_a_page_of_this_server_is_listened_to(client: TestClient) -> None:
    with client.websocket_connect(urls.CONNECTION, headers={"Origin": "http://testserver"}) as socket:
        socket.send_json(ASKED)
        assert socket.receive_json()["state"] == "done"

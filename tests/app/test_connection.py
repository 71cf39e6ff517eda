import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, cast

import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from app import connection, urls
from app.context import Context
from app.server import create_app
from app.streaming import MapRequest, Send
from model.bundle import ModelBundle
from tests.app.test_streaming import REQUEST

ASKED = asdict(REQUEST)
SECONDS_TO_END = 60


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
        found, regions = received_until(socket, "done")[-1], socket.receive_json()
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


class Tab:
    """A browser's end of a connection: says `questions` and goes away, without which the server waits for ever."""

    def __init__(self, *questions: dict[str, Any]) -> None:
        self.questions = list(questions)
        self.heard: list[dict[str, Any]] = []

    async def receive_text(self) -> str:
        await asyncio.sleep(0)
        if self.questions:
            return json.dumps(self.questions.pop(0))
        raise WebSocketDisconnect

    async def send_text(self, text: str) -> None:
        self.heard.append(json.loads(text))


def converse(context: Context, tab: Tab) -> None:
    asyncio.run(asyncio.wait_for(connection.converse(context, cast(WebSocket, tab)), SECONDS_TO_END))


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


def test_what_a_tab_has_asked_for_ends_with_its_connection(bundle: ModelBundle, unending: Unending) -> None:
    context = Context(bundle)
    converse(context, Tab({**ASKED, "method": "lime"}, {**ASKED, "method": "shap"}))
    assert [stop.is_set() for stop in unending.stops] == [True, True]
    assert len(context.maps) == 0


def test_a_tab_that_has_gone_before_its_question_is_begun_leaves_no_map_behind(bundle: ModelBundle) -> None:
    class Broken(Tab):
        async def send_text(self, text: str) -> None:
            raise WebSocketDisconnect

        async def receive_text(self) -> str:
            if self.questions:
                return json.dumps(self.questions.pop(0))
            raise RuntimeError("WebSocket is not connected.")

    context = Context(bundle)
    converse(context, Broken(ASKED, {**ASKED, "method": "lime"}))
    assert len(context.maps) == 0


def test_an_answer_that_fails_is_logged_and_said_and_the_others_go_on(
    bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def stream(context: Context, request: MapRequest, stop: threading.Event, send: Send) -> None:
        if request.method == "lime":
            raise MemoryError
        await asyncio.sleep(0)
        send("map", {"state": "done"})

    class Patient(Tab):
        async def receive_text(self) -> str:
            while not self.questions and len(self.heard) < 2:
                await asyncio.sleep(0)
            return await super().receive_text()

    monkeypatch.setattr(connection, "stream_explanation", stream)
    tab = Patient({**ASKED, "method": "lime"}, ASKED)
    converse(Context(bundle), tab)
    said = {answer["method"]: answer["state"] for answer in tab.heard}
    assert said == {"lime": "failed", "gradcam": "done"}
    assert "Answering about lime failed" in caplog.text


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


def test_bytes_are_nonsense_too(client: TestClient) -> None:
    with client.websocket_connect(urls.CONNECTION) as socket:
        socket.send_bytes(b"tea")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1007


@pytest.mark.parametrize(
    "origin", ["http://elsewhere.example", "http://testserver.elsewhere.example", "null", "http://["]
)
def test_a_page_of_another_site_is_refused(client: TestClient, origin: str) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(urls.CONNECTION, headers={"Origin": origin}),
    ):
        pass


def test_a_page_of_this_server_is_listened_to(client: TestClient) -> None:
    with client.websocket_connect(urls.CONNECTION, headers={"Origin": "http://testserver"}) as socket:
        socket.send_json(ASKED)
        received_until(socket, "done")

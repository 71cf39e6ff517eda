"""An explanation that nobody waits for any more is not finished."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from app import disconnect
from app.server import create_app
from model.bundle import ModelBundle
from model.phantoms import sample
from tests.model.hostile import encoded

PHANTOM = encoded(sample("melanoma").image, "PNG")


class StoppedError(Exception):
    """What the replaced explanation ends with, so that no map has to be made up."""


@pytest.mark.parametrize(("method", "query"), [("POST", b""), ("GET", b"sample=melanoma")])
def test_it_stops_when_its_client_goes(
    bundle: ModelBundle, method: str, query: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def explain_slowly(*question: object, should_stop: Callable[[], bool], **options: object) -> None:
        begun.set()
        for _ in range(6000):
            if should_stop():
                stopped.set()
                raise StoppedError
            threading.Event().wait(0.01)

    monkeypatch.setattr("app.api.explain", explain_slowly)
    app = create_app(bundle.path)
    with pytest.raises(StoppedError):
        asyncio.run(ask_and_leave(app, method, "/api/explain", query, begun))
    assert stopped.is_set()


def test_judging_stops_when_its_client_goes(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def judge_slowly(*question: object, check: Callable[[], None]) -> Iterator[None]:
        begun.set()
        try:
            for _ in range(6000):
                check()
                threading.Event().wait(0.01)
        except disconnect.StoppedError:
            stopped.set()
            raise
        yield

    monkeypatch.setattr("app.api.trust", judge_slowly)
    sent = asyncio.run(ask_and_leave(create_app(bundle.path), "POST", "/api/trust", b"method=gaussian", begun))
    assert stopped.is_set()
    assert sent[0]["status"] == 499  # nobody receives it, and the log has no error


async def ask_and_leave(app: FastAPI, method: str, path: str, query: bytes, begun: threading.Event) -> list[Any]:
    """Ask for an explanation as a server passes it on, and go as soon as it has begun; what was sent to nobody."""
    sent = []
    body = iter([{"type": "http.request", "body": PHANTOM, "more_body": False}])

    async def receive() -> dict[str, Any]:
        message = next(body, None)
        if message is not None:
            return message
        if not begun.is_set():
            await asyncio.Future()  # nothing to tell; whoever looks does not wait
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return sent

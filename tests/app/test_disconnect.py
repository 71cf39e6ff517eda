"""An explanation that nobody waits for any more is not finished."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

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
        asyncio.run(ask_and_leave(app, method, query, begun))
    assert stopped.is_set()


async def ask_and_leave(app: FastAPI, method: str, query: bytes, begun: threading.Event) -> None:
    """Ask for an explanation as a server passes it on, and go as soon as it has begun."""
    body = iter([{"type": "http.request", "body": PHANTOM, "more_body": False}])

    async def receive() -> dict[str, Any]:
        message = next(body, None)
        if message is not None:
            return message
        if not begun.is_set():
            await asyncio.Future()  # nothing to tell; whoever looks does not wait
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/api/explain",
        "raw_path": b"/api/explain",
        "query_string": query,
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)

"""A browser tab's connection (WebSocket): questions about maps come in, and what is found goes out while it is found.

What a tab has asked for ends with its connection.
"""

import asyncio
import logging
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import FastAPI, WebSocket, WebSocketDisconnect, status
from plotly.io.json import to_json_plotly
from pydantic import Discriminator, TypeAdapter
from starlette.datastructures import Headers

from app import urls
from app.context import Context
from app.jobs import Jobs
from app.streaming import MAP, MapRequest, stream_explanation
from app.trust_streaming import TRUST, TrustRequest, stream_trust
from explain.methods import METHODS


@dataclass(frozen=True)
class StopRequest:
    """Nobody waits any more for a method's map, or for what it is worth."""

    about: Literal["map", "trust"]
    method: str
    ask: Literal["stop"] = "stop"


Request = MapRequest | TrustRequest | StopRequest
# What sending and receiving raise once the browser has gone, RuntimeError where the other of them heard it first.
GONE = (WebSocketDisconnect, RuntimeError)
REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Discriminator("ask")])


def register_connection(server: FastAPI, context: Context) -> None:
    """Add the route that the Explain page connects to; a page of another site is refused."""

    @server.websocket(urls.CONNECTION)
    async def connect(socket: WebSocket) -> None:
        if not is_own(socket.headers):
            await socket.close(status.WS_1008_POLICY_VIOLATION)
            return
        await socket.accept()
        await converse(context, socket)


def is_own(headers: Headers) -> bool:
    """Whether it is a page of this server, or no page at all, that wants to connect: browsers do not see to that."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


async def converse(context: Context, socket: WebSocket) -> None:
    """Answer all that comes in, each request by a task of its own, until the browser goes away or talks nonsense."""
    owner = secrets.token_hex(8)
    jobs = {MAP: context.maps, TRUST: Jobs()}
    answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()

    async def write() -> None:
        with suppress(*GONE):  # of which the reader hears, too
            while True:
                await socket.send_text(to_json_plotly(await answers.get()))

    async def answer(request: MapRequest | TrustRequest, stop: threading.Event) -> None:
        def send(about: str, found: Mapping[str, Any]) -> None:
            said = {"about": about, "method": request.method, "id": request.id, **found}
            loop.call_soon_threadsafe(answers.put_nowait, said)

        try:
            if isinstance(request, MapRequest):
                await stream_explanation(context, request, stop, send)
            else:
                await stream_trust(context, request, stop, send)
        except Exception:  # one answer's failure is not the others'
            logging.getLogger(__name__).exception("Answering about %s failed.", request.method)
            send(request.ask, {"state": "failed", "message": "The server's output says why. Try again."})

    def begin(request: MapRequest | TrustRequest) -> None:
        key, kind = (owner, request.method), jobs[request.ask]
        stop = kind.start(key)
        task = asyncio.create_task(answer(request, stop))
        running.add(task)
        task.add_done_callback(running.discard)
        task.add_done_callback(lambda _: kind.end(key, stop))  # also of a task that was cancelled before it began

    writing = asyncio.create_task(write())
    try:
        while True:
            request = read(await socket.receive_text())
            if isinstance(request, StopRequest):
                jobs[request.about].stop((owner, request.method))
            else:
                begin(request)
    except GONE:
        pass
    except (ValueError, KeyError):  # KeyError is Starlette's of a message that is no text
        writing.cancel()
        with suppress(*GONE):
            await socket.close(status.WS_1007_INVALID_FRAME_PAYLOAD_DATA)
    finally:
        writing.cancel()
        for kind in jobs.values():
            kind.stop_all_of(owner)
        await asyncio.gather(*running)


def read(text: str) -> Request:
    """What a browser asks; ValueError for anything else."""
    request = REQUESTS.validate_json(text)
    if request.method not in METHODS:
        raise ValueError(f"There is no method {request.method!r}.")
    return request

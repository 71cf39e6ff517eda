"""Work for a request, which is told to stop when nobody waits for its answer any more."""

import asyncio
import threading
from typing import TypeVar

from fastapi import Request

SECONDS_BETWEEN_LOOKS = 0.2
Answer = TypeVar("Answer")


class StoppedError(Exception):
    """Nobody waits for the answer any more."""


async def finished(request: Request, work: "asyncio.Future[Answer]", left: threading.Event) -> Answer:
    """What `work` gives, which runs in a thread; `left` is set as soon as the client has gone or the server ends."""
    try:
        while not (await asyncio.wait({work}, timeout=SECONDS_BETWEEN_LOOKS))[0]:
            if await request.is_disconnected():
                left.set()
        return work.result()
    finally:
        left.set()

"""One explanation as it comes about: run in a thread, its progress and partial maps sent to the browser.

What is sent goes to stores of the shell, never to the page, so that a user may leave the page meanwhile.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from dash import set_props

from app.context import Context
from app.heatmaps import heatmap
from app.jobs import Jobs
from app.region_answer import regions_message
from app.tensorflow_start import needs_tensorflow
from app.uploads import pixels
from explain import explain
from explain.attribution import Attribution, Progress
from explain.methods import METHODS
from model.images import prepare

SECONDS_BETWEEN_ANSWERS = 0.5
QUICK = 1  # evaluations: a method of no more does not queue behind the slow ones
Send = Callable[[str, Mapping[str, Any]], None]


def method_store(method: str) -> str:
    """The id of the store that holds a method's code."""
    return f"explain-method-{method}"


def answer_store(method: str) -> str:
    """The id of the store that holds how far a method is, and its map once there is one."""
    return f"explain-answer-{method}"


def regions_store(method: str) -> str:
    """The id of the store that holds what the regions of a method's complete map count for."""
    return f"explain-regions-{method}"


async def stream_explanation(context: Context, jobs: Jobs, method: str, request: Mapping[str, str]) -> None:
    """Answer a browser's `request` (id, tab, source, target, against, layer) by one method until it ends.

    It ends when the map is complete, when the tab asks for another one or cancels, or when the browser goes away.
    """

    def send(store: str, data: Mapping[str, Any]) -> None:
        set_props(store, {"data": {"id": request["id"], **data}})

    key = (request["tab"], method)
    stop = jobs.start(key)
    slow = METHODS[method].evaluations > QUICK or _has_to_load(context, method, request)
    try:
        loop = asyncio.get_running_loop()
        run = copy_context().run
        threads = context.explanation_threads if slow else None
        await loop.run_in_executor(threads, run, _answer, context, method, request, stop, send)
    finally:
        jobs.end(key, stop)


def _answer(context: Context, method: str, request: Mapping[str, str], stop: threading.Event, send: Send) -> None:
    """The map first, and then, when nobody waits any more, what its regions count for."""
    if _has_to_load(context, method, request) and not stop.is_set():
        send(answer_store(method), {"state": "loading"})
        try:
            context.tensorflow.load(context.bundle)
        except Exception:
            logging.getLogger(__name__).exception("TensorFlow could not be loaded.")
            message = "TensorFlow could not be loaded; the server's output says why."
            send(answer_store(method), {"state": "failed", "message": message})
            return
    attribution = explain_and_send(context, method, request, stop, send)
    if attribution is not None:
        image = prepare(pixels(request["source"]), context.bundle.card.size)
        send(regions_store(method), regions_message(attribution, image))


def _has_to_load(context: Context, method: str, request: Mapping[str, str]) -> bool:
    needed = needs_tensorflow(context.bundle, method, request.get("layer"))
    return needed and not context.tensorflow.ready(context.bundle)


def explain_and_send(
    context: Context, method: str, request: Mapping[str, str], stop: threading.Event, send: Send
) -> Attribution | None:
    """Answer `request` by one method: every message goes to `send`, until the map is complete or `stop` is set.

    Gives the map if it is complete.
    """
    if stop.is_set():
        send(answer_store(method), {"state": "stopped"})
        return None
    try:
        image = pixels(request["source"])
        reporter = Reporter(method, image.shape[:2], send)
        attribution = explain(
            image,
            context.predictor,
            method,
            request["target"],
            request["against"],
            layer=request.get("layer"),
            on_progress=reporter,
            should_stop=stop.is_set,
        )
    except ValueError as error:
        send(answer_store(method), {"state": "failed", "message": str(error)})
        return None
    except Exception:
        logging.getLogger(__name__).exception("Explaining by %s failed.", method)
        send(answer_store(method), {"state": "failed", "message": "The server's output says why. Try again."})
        return None
    stopped = stop.is_set()
    reporter.finish(attribution, stopped=stopped)
    return None if stopped else attribution


@dataclass
class Reporter:
    """Passes a method's progress on, no more often than a person can follow.

    `size` is the image's height and width in pixels.
    """

    method: str
    size: tuple[int, int]
    send: Send
    started: float = field(default_factory=time.monotonic)
    last_answer: float = field(default_factory=time.monotonic)
    map_sent: bool = False

    def __call__(self, progress: Progress) -> None:
        """Send `progress` and the map so far, unless the method was begun or something was sent a moment ago.

        The first map is sent at once.
        """
        now = time.monotonic()
        first_map = progress.partial is not None and not self.map_sent and progress.done < progress.total
        if not first_map and now - self.last_answer < SECONDS_BETWEEN_ANSWERS:
            return
        self.last_answer = now
        left = (now - self.started) / max(progress.done, 1) * (progress.total - progress.done)
        answer = {"state": "running", "done": progress.done, "total": progress.total, "left": round(left, 1)}
        if progress.partial is not None:
            self.map_sent = True
            answer["map"] = heatmap(progress.partial, self.size, complete=False)
        self.send(answer_store(self.method), answer)

    def finish(self, attribution: Attribution, *, stopped: bool) -> None:
        """Send the last map, and that there will be no other."""
        last = heatmap(attribution, self.size, complete=not stopped)
        self.send(answer_store(self.method), {"state": "stopped" if stopped else "done", "map": last})

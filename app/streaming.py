"""One explanation as it comes about: run in a thread, its progress and partial maps sent to the browser."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import PositiveInt

from app.context import Context
from app.heatmaps import heatmap
from app.region_answer import regions_message
from app.tensorflow_start import needs_tensorflow
from app.uploads import pixels
from explain import explain
from explain.attribution import Attribution, Progress
from explain.methods import METHODS
from model.images import prepare

SECONDS_BETWEEN_ANSWERS = 0.5
QUICK = 1  # evaluations: a method of no more does not queue behind the slow ones
# What an answer is about: a method's map, or what the regions of its complete map count for.
MAP: Final = "map"
REGIONS = "regions"
Send = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class MapRequest:
    """A browser's question: how does `method` explain what the network saw of an image, the data URL `input`?

    `width` and `height` are the image's own, in pixels. Every answer carries the `id`.
    """

    id: str
    method: str
    input: str
    width: PositiveInt
    height: PositiveInt
    target: str
    against: str | None = None
    layer: str | None = None
    ask: Literal["map"] = MAP


async def stream_explanation(context: Context, request: MapRequest, stop: threading.Event, send: Send) -> None:
    """Answer a browser's `request` until the map is complete and its regions are valued, or `stop` is set."""
    slow = METHODS[request.method].evaluations > QUICK or await asyncio.to_thread(_has_to_load, context, request)
    threads = context.explanation_threads if slow else None
    await asyncio.get_running_loop().run_in_executor(threads, _answer, context, request, stop, send)


def _answer(context: Context, request: MapRequest, stop: threading.Event, send: Send) -> None:
    """The map first, and then, when nobody waits any more, what its regions count for."""
    if _has_to_load(context, request) and not stop.is_set():
        send(MAP, {"state": "loading"})
        try:
            context.tensorflow.load(context.bundle)
        except Exception:
            logging.getLogger(__name__).exception("TensorFlow could not be loaded.")
            message = "TensorFlow could not be loaded; the server's output says why."
            send(MAP, {"state": "failed", "message": message})
            return
    attribution = explain_and_send(context, request, stop, send)
    if attribution is not None:
        image = prepare(pixels(request.input), context.bundle.card.size)
        send(REGIONS, regions_message(attribution, image))


def _has_to_load(context: Context, request: MapRequest) -> bool:
    needed = needs_tensorflow(context.bundle, request.method, request.layer)
    return needed and not context.tensorflow.ready(context.bundle)


def explain_and_send(context: Context, request: MapRequest, stop: threading.Event, send: Send) -> Attribution | None:
    """Answer `request`: every message goes to `send`, until the map is complete or `stop` is set.

    Gives the map if it is complete.
    """
    if stop.is_set():
        send(MAP, {"state": "stopped"})
        return None
    try:
        image = pixels(request.input)
        reporter = Reporter((request.height, request.width), send)
        attribution = explain(
            image,
            context.predictor,
            request.method,
            request.target,
            request.against,
            layer=request.layer,
            on_progress=reporter,
            should_stop=stop.is_set,
        )
        stopped = stop.is_set()
        reporter.finish(attribution, stopped=stopped)
    except ValueError as error:
        send(MAP, {"state": "failed", "message": str(error)})
        return None
    except Exception:
        logging.getLogger(__name__).exception("Explaining by %s failed.", request.method)
        send(MAP, {"state": "failed", "message": "The server's output says why. Try again."})
        return None
    return None if stopped else attribution


@dataclass
class Reporter:
    """Passes a method's progress on, no more often than a person can follow.

    `size` is the image's height and width in pixels.
    """

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
        self.send(MAP, answer)

    def finish(self, attribution: Attribution, *, stopped: bool) -> None:
        """Send the last map, and that there will be no other."""
        last = heatmap(attribution, self.size, complete=not stopped)
        self.send(MAP, {"state": "stopped" if stopped else "done", "map": last})

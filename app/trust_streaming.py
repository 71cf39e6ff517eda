"""The worth of a map, measured after the map is done: in one thread that gives way to every map that is being made."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, State, dcc, set_props
from dash.development.base_component import Component
from numpy.typing import NDArray

from analysis.trust import trust
from app.context import Context
from app.disconnect import StoppedError
from app.heatmaps import attribution_from
from app.jobs import Jobs
from app.streaming import method_store
from app.trust_panel import shown
from app.uploads import pixels
from explain.attribution import ExplanationError
from explain.methods import METHODS
from model.images import prepare
from model.masks import prepare_mask, read_mask
from model.phantoms import SAMPLES, sample

SECONDS_BETWEEN_LOOKS = 0.1
Send = Callable[[Mapping[str, Any]], None]


def trust_store(method: str) -> str:
    """The id of the store that holds what is known of the worth of a method's map."""
    return f"explain-trust-{method}"


def trust_request_store(method: str) -> str:
    """The id of the store through which the browser asks about a map."""
    return f"explain-trust-request-{method}"


def trust_stop_store(method: str) -> str:
    """The id of the store through which the browser says that nobody looks at a method's map any more."""
    return f"explain-trust-stop-{method}"


def trust_stores() -> list[Component]:
    """The stores of every method; they outlive the page."""
    names = (trust_request_store, trust_stop_store, trust_store)
    return [dcc.Store(id=name(method)) for method in METHODS for name in names]


def register_trust(app: Dash, context: Context, jobs: Jobs, maps: Jobs) -> None:
    """Answer the browser's questions about maps; `jobs` are those answers, `maps` the maps that go first."""
    app.clientside_callback(
        ClientsideFunction("trust", "baselines"),
        Input("explain-curves-baselines", "value"),
        prevent_initial_call=True,
    )
    for method in METHODS:
        _register_method(app, context, jobs, maps, method)


def _register_method(app: Dash, context: Context, jobs: Jobs, maps: Jobs, method: str) -> None:
    app.clientside_callback(
        ClientsideFunction("trust", "found"),
        Input(trust_store(method), "data"),
        State(method_store(method), "data"),
        prevent_initial_call=True,
    )

    @app.callback(Input(trust_request_store(method), "data"), prevent_initial_call=True)
    async def judge(request: dict[str, str] | None) -> None:
        if request:
            await stream_trust(context, jobs, maps, method, request)

    @app.callback(Input(trust_stop_store(method), "data"), prevent_initial_call=True)
    async def stop(request: dict[str, str] | None) -> None:
        if request:
            jobs.stop((request["tab"], method))


async def stream_trust(
    context: Context, jobs: Jobs, maps: Jobs, method: str, request: Mapping[str, str | None]
) -> None:
    """Answer a browser's `request` (id, tab, source, npz, sample, case) about a map until it is judged.

    It ends early when the tab asks about another map of the method, no longer shows the method, or goes away.
    """

    def send(data: Mapping[str, Any]) -> None:
        set_props(trust_store(method), {"data": {"id": request["id"], **data}})

    key = (str(request["tab"]), method)
    stop = jobs.start(key)
    try:
        loop = asyncio.get_running_loop()
        run = copy_context().run
        await loop.run_in_executor(
            context.trust_thread, run, _judge_and_send, context, maps, method, request, stop, send
        )
    finally:
        jobs.end(key, stop)


def _judge_and_send(
    context: Context,
    maps: Jobs,
    method: str,
    request: Mapping[str, str | None],
    stop: threading.Event,
    send: Send,
) -> None:
    def give_way() -> None:
        while len(maps) and not stop.wait(SECONDS_BETWEEN_LOOKS):
            pass
        if stop.is_set():
            raise StoppedError

    try:
        give_way()
        attribution = attribution_from(str(request["npz"]))
        if attribution.method != method:
            raise ExplanationError("The browser sent another method's map.")
        card = context.bundle.card
        image = prepare(pixels(str(request["source"])), card.size)
        mask = known_mask(context, request, card.size)
        states = ("measuring", "done")
        for state, found in zip(
            states, trust(attribution, image, context.predictor, mask, check=give_way), strict=True
        ):
            send({"state": state, **shown(found, card.classes)})
    except StoppedError:
        send({"state": "stopped"})
    except ValueError as error:
        send({"state": "failed", "message": str(error)})
    except Exception:
        logging.getLogger(__name__).exception("Judging the map of %s failed.", method)
        send({"state": "failed", "message": "The server's output says why."})


def known_mask(context: Context, request: Mapping[str, str | None], size: int) -> NDArray[np.bool_] | None:
    """The lesion mask of the sample or case that a request names, bool (size, size), or None where there is none."""
    name, case = request.get("sample"), request.get("case")
    if name in SAMPLES:
        return prepare_mask(sample(name).mask, size)
    if case in context.mask_paths:
        return prepare_mask(read_mask(context.mask_paths[case]), size)
    return None

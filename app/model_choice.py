"""Which model the dashboard is about: the served one at `/`, any other that there is at `/models/NAME`."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from urllib.parse import unquote

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import urls
from app.components import failed
from app.context import Context
from model.bundle import CARD_FILE, SHIPPED, TRAINED, BundleError, ModelBundle, folds, load_bundle

SELECT = "model-choice"
ROUTE = urls.MODELS + "/{name}"


def selectable(served: ModelBundle) -> dict[str, ModelBundle]:
    """The models to choose from by their folders' names: `served`, its other folds, and the shipped ones.

    A folder that is no sound bundle is left out, and the log says why; of two of one name, the first counts.
    """
    shipped = sorted(path.parent for path in SHIPPED.glob(f"*/{CARD_FILE}"))
    found = {_name(served): served}
    for path in (*folds(served.path), *shipped):
        try:
            bundle = load_bundle(path)
        except BundleError as error:
            logging.getLogger(__name__).warning("%s cannot be chosen: %s", path, error)
            continue
        found.setdefault(_name(bundle), bundle)
    return found


def _name(bundle: ModelBundle) -> str:
    """The name of the bundle's folder, or of its training's folder where it lies in that."""
    path = bundle.path.resolve()
    return path.parent.name if path.name == TRAINED else path.name


def root_of(context: Context, name: str) -> str:
    """What the addresses of the model called `name` start with: nothing for the served one."""
    return "" if name == next(iter(context.models)) else urls.model_root(name)


def select(context: Context) -> Component:
    """The name of the model, and where there are others the way to them."""
    own = next((name for name, bundle in context.models.items() if bundle is context.bundle), None)
    if own is None or len(context.models) == 1:
        card = context.bundle.card
        return html.Span(_label(card.name, context.bundle), className="fact-value")
    return dmc.Select(
        id=SELECT,
        data=[
            {"value": f"{root_of(context, name)}/", "label": _label(name, bundle)}
            for name, bundle in context.models.items()
        ],
        value=f"{root_of(context, own)}/",
        allowDeselect=False,
        size="xs",
        className="model-select",
        comboboxProps={"width": "max-content", "position": "bottom-start"},
        **{"aria-label": "Model: the same page by another one"},
    )


def _label(name: str, bundle: ModelBundle) -> str:
    return f"{name}, int8" if bundle.int8 else name


def unknown_model(context: Context, pathname: str, query: Mapping[str, str]) -> Component:
    """A page that says that there is no such model, and which there are: links to the same view by each."""
    name, path = split(pathname)
    # Another application's page, so no link within this one.
    links = [
        html.A(known, href=urls.with_query(f"{root_of(context, known)}{path}", query), className="button-link")
        for known in context.models
    ]
    title = f"There is no model {unquote(name or '')!r} here"
    return failed(title, "The same page by:", html.Div(links, className="model-links"))


def register_callbacks(app: Dash) -> None:
    """Choosing a model opens the same view of it; an image that only the browser has is taken along."""
    app.clientside_callback(
        ClientsideFunction("models", "choose"),
        Output(SELECT, "value"),
        Input(SELECT, "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("models", "arrive"),
        Output("explain-upload", "contents", allow_duplicate=True),
        Output("explain-upload", "filename"),
        Input("explain-query", "data"),
        prevent_initial_call="initial_duplicate",
    )


def register_api(server: FastAPI, context: Context) -> None:
    """The models to choose from as JSON, and the answer about those that there are not."""

    @server.get(urls.API + urls.MODELS)
    def models() -> list[dict[str, object]]:
        return [
            {
                "name": name,
                "address": f"{root_of(context, name)}/",
                "network": bundle.card.network,
                "size": bundle.card.size,
                "classes": bundle.card.classes,
                "calibrated": bundle.card.calibrated,
                "int8": bundle.int8,
                "shown": bundle is context.bundle,
            }
            for name, bundle in context.models.items()
        ]

    @server.api_route(ROUTE + urls.API + "/{path:path}", methods=["GET", "POST"], include_in_schema=False)
    def unknown(name: str, path: str) -> None:
        raise HTTPException(404, f"There is no model {name!r}; there are {', '.join(context.models)}.")


class OtherModels:
    """Sends what is asked below `/models/NAME` to an application of that model's own, made when it is first asked.

    It is made in a thread, so that nobody else waits for it. The served model's own name leads to `/`, and a name that
    is not known is the served model's business.
    """

    def __init__(self, app: ASGIApp, context: Context, open_model: Callable[[str], ASGIApp]) -> None:
        self._app = app
        self._served, *others = context.models
        self._others = frozenset(others)
        self._open_model = open_model
        self._opened: dict[str, asyncio.Future[ASGIApp]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, a WebSocket, or the server's start and end."""
        asked = scope["type"] in ("http", "websocket")
        name, path = split(scope["path"]) if asked else (None, "")
        if name in self._others:
            app = await self._model(name)
            with urls.under(urls.model_root(name)):
                await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)
        elif name == self._served and scope["type"] == "http":
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse(f"{path}?{query}" if query else path)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _model(self, name: str) -> ASGIApp:
        if name not in self._opened:
            self._opened[name] = asyncio.ensure_future(asyncio.to_thread(self._open_model, name))
        try:
            # Whoever asks first may go away before it is there.
            return await asyncio.shield(self._opened[name])
        except Exception:
            del self._opened[name]
            raise


def split(pathname: str) -> tuple[str | None, str]:
    """The name in the address `/models/NAME/path`, or None, and the path, which begins with a slash."""
    if not pathname.startswith(f"{urls.MODELS}/"):
        return None, pathname
    name, _, path = pathname.removeprefix(f"{urls.MODELS}/").partition("/")
    return name, f"/{path}"

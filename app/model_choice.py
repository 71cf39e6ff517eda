"""What the dashboard is about: the served model at `/`, any other, and an audit, at `/models/NAME`."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from analysis.audit_manifest import MANIFEST_FILE, AuditedModel, AuditError, read_manifest
from analysis.audit_predictions import SHIPPED_AUDIT, SHIPPED_AUDIT_COMMAND, open_predictions
from app import urls
from app.audit_note import audit_answer, audit_name
from app.components import empty, failed
from app.context import Choice, Context
from model.bundle import CARD_FILE, SHIPPED, TRAINED, BundleError, ModelBundle, folds, load_bundle

SELECT = "model-choice"
AUDIT = "audit"
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


def with_audit(models: Mapping[str, ModelBundle], folder: Path | None = None) -> dict[str, Choice]:
    """`models`, and under the name AUDIT the audit in `folder` or, where none is given, the shipped one if it is there.

    Explained is by the first of `models` that made the audit, or else by the served one. Raises AuditError for a
    `folder` that cannot be shown (`open_predictions`); of a shipped audit the log says why.
    """
    choices = {name: Choice(bundle) for name, bundle in models.items()}
    shown = SHIPPED_AUDIT if folder is None else folder
    if folder is None and not (shown / MANIFEST_FILE).is_file():
        return choices
    try:
        audited = read_manifest(shown).models
        made = (bundle for bundle in models.values() if any(is_audited(bundle, one) for one in audited))
        bundle = next(made, next(iter(models.values())))
        audit = open_predictions(shown, bundle.card.classes)
    except AuditError as error:
        if folder is not None:
            raise
        logging.getLogger(__name__).warning("The shipped audit cannot be chosen: %s", error)
        return choices
    if AUDIT in choices:
        raise AuditError(f"A model is called {AUDIT}, as the audit is here. Give its folder another name.")
    return {**choices, AUDIT: Choice(bundle, audit)}


def is_audited(bundle: ModelBundle, audited: AuditedModel) -> bool:
    """Whether a bundle is the model that an audit names: its card's name and all that decides what it says."""
    return (bundle.card.name, bundle.digest) == (audited.name, audited.digest)


def root_of_predicting(context: Context, model: str) -> str | None:
    """What the addresses of the model start with that predicted an audit's case; None where it is not here."""
    audited = () if context.audit is None else context.audit.manifest.models
    for name, choice in context.models.items():
        here = choice.audit is None and any(one.name == model and is_audited(choice.bundle, one) for one in audited)
        if here:
            return root_of(context, name)
    return None


def _name(bundle: ModelBundle) -> str:
    """The name of the bundle's folder, or of its training's folder where it lies in that."""
    path = bundle.path.resolve()
    return path.parent.name if path.name == TRAINED else path.name


def root_of(context: Context, name: str) -> str:
    """What the addresses of the model called `name` start with: nothing for the served one."""
    return "" if name == next(iter(context.models)) else urls.model_root(name)


def select(context: Context) -> Component:
    """The name of the model or audit, and where there are others the way to them."""
    own = next((name for name, choice in context.models.items() if _is_shown(context, choice)), None)
    if own is None or len(context.models) == 1:
        label = _label(context.bundle.card.name, Choice(context.bundle, context.audit))
        return html.Span(label, className="fact-value")
    return dmc.Select(
        id=SELECT,
        data=[
            {"value": f"{root_of(context, name)}/", "label": _label(name, choice)}
            for name, choice in context.models.items()
        ],
        value=f"{root_of(context, own)}/",
        allowDeselect=False,
        size="xs",
        className="model-select",
        comboboxProps={"width": "max-content", "position": "bottom-start"},
        **{"aria-label": "Model: the same page by another one"},
    )


def _is_shown(context: Context, choice: Choice) -> bool:
    return choice.bundle is context.bundle and choice.audit is context.audit


def _label(name: str, choice: Choice) -> str:
    if choice.audit is not None:
        return audit_name(choice.audit)
    return f"{name}, int8" if choice.bundle.int8 else name


def unknown_model(context: Context, pathname: str, query: Mapping[str, str]) -> Component:
    """A page that says that there is no such model, and which there are: links to the same view by each."""
    name, path = split(pathname)
    # Another application's page, so no link within this one.
    links = [
        html.A(known, href=urls.with_query(f"{root_of(context, known)}{path}", query), className="button-link")
        for known in context.models
    ]
    if unquote(name or "") == AUDIT:
        text = (
            f"`{SHIPPED_AUDIT_COMMAND}` makes the one that is shown here after a restart; "
            "`lesionlens serve --audit DIR` shows another."
        )
        return empty("There is no audit here", [text, html.Div(links, className="model-links")])
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
                "network": choice.bundle.card.network,
                "size": choice.bundle.card.size,
                "classes": choice.bundle.card.classes,
                "calibrated": choice.bundle.card.calibrated,
                "int8": choice.bundle.int8,
                "audit": audit_answer(choice.audit),
                "shown": _is_shown(context, choice),
            }
            for name, choice in context.models.items()
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
            self._opened.pop(name, None)  # another who waited may have taken it out
            raise


def split(pathname: str) -> tuple[str | None, str]:
    """The name in the address `/models/NAME/path`, or None, and the path, which begins with a slash."""
    if not pathname.startswith(f"{urls.MODELS}/"):
        return None, pathname
    name, _, path = pathname.removeprefix(f"{urls.MODELS}/").partition("/")
    return name, f"/{path.lstrip('/')}"  # two slashes would begin the address of another host

"""The server: Dash on FastAPI, the pages and the JSON routes beside them, one application for each model bundle."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output
from dash.backends._fastapi import reset_current_request, set_current_request
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse

from app import api, model_choice, pages, urls
from app.components import failed, link_button
from app.connection import register_connection
from app.context import Context
from app.shell import LOCATION, PAGE, shell
from model.bundle import DEFAULT_BUNDLE, load_bundle

ASSETS = Path(__file__).parent.parent / "assets"
WEBSOCKET_MESSAGE_BYTES = 64 * 2**20


def create_app(
    bundle_path: Path | str = DEFAULT_BUNDLE,
    data_path: Path | str | None = None,
    *,
    int8: bool = False,
    audit_path: Path | None = None,
) -> FastAPI:
    """The ASGI application for the bundle in `bundle_path`, with the images of the data set in `data_path` if given.

    The other models to choose from (`model_choice.selectable`) are below `/models`, each opened at its first request.
    With `int8` it runs the bundle's quantised network, the others as they are. The audit in `audit_path`, or the
    shipped one, can be chosen like a model.
    Raises BundleError when the bundle is not complete, DataError when `data_path` is no data set, and AuditError when
    what is in `audit_path` cannot be shown with this model.
    """
    bundle = load_bundle(bundle_path, int8=int8)
    choices = model_choice.with_audit(model_choice.selectable(bundle), audit_path)
    context = Context(bundle, None if data_path is None else Path(data_path), models=choices)
    logging.getLogger(__name__).info("%d images of the data set are here.", len(context.image_paths))

    def open_model(name: str) -> FastAPI:
        chosen = context.models[name]
        return _model_app(replace(context, bundle=chosen.bundle, audit=chosen.audit), urls.model_root(name))

    server = _model_app(context)
    server.add_middleware(model_choice.OtherModels, context=context, open_model=open_model)
    return server


def _model_app(context: Context, root: str = "") -> FastAPI:
    """The application of the context's model; its addresses start with `root`, which its routes do not see."""
    servers = [{"url": root}] if root else None
    openapi = f"{urls.API}/openapi.json"
    server = FastAPI(title="LesionLens", docs_url=None, redoc_url=None, openapi_url=openapi, servers=servers)
    server.state.context = context
    api.register(server, context)
    model_choice.register_api(server, context)
    register_connection(server, context)
    for page in pages.PAGES.values():
        page.register_api(server, context)
    _refuse_unknown_api(server)
    app = Dash(
        __name__,
        server=server,
        requests_pathname_prefix=f"{root}/",
        websocket_callbacks=True,  # in threads of their own: by HTTP they would hold up the event loop
        assets_folder=str(ASSETS),
        title="LesionLens",
        update_title=None,
        suppress_callback_exceptions=True,
        compress=True,
        serve_locally=True,
        description="See what a skin-lesion classifier looks at. Teaching and research tool, not for diagnosis.",
    )
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')
    with urls.under(root):
        app.layout = shell(context)
    _register_router(app, context)
    model_choice.register_callbacks(app)
    for page in pages.PAGES.values():
        page.register_callbacks(app, context)
    # Dash collects its assets at the first request for "/" or one of its own routes; a first visitor who follows a
    # link to another page would get a page without styles.
    app._setup_server()
    _serve_pages(server, app)
    return server


def _register_router(app: Any, context: Context) -> None:
    @app.callback(
        Output(PAGE, "children"),
        Input(LOCATION, "pathname"),
        Input(LOCATION, "search"),
        running=[(Output(PAGE, "aria-busy"), "true", "false")],
    )
    def show(pathname: str, search: str) -> Component:
        context.tensorflow.page_served.set()
        try:
            return pages.render(context, pathname, urls.parse_query(search))
        except Exception:
            logging.getLogger(__name__).exception("The page %s failed.", pathname)
            return failed(
                "This page could not be built",
                "The server's output says why. Other pages still work.",
                link_button("Back to Explain", urls.explain()),
            )

    app.clientside_callback(ClientsideFunction("lesionlens", "title"), Input(PAGE, "children"))


def _refuse_unknown_api(server: FastAPI) -> None:
    """Without this, Dash's catch-all would answer a mistyped API address with the dashboard."""

    @server.get(urls.API + "/{path:path}", include_in_schema=False)
    def unknown(path: str) -> None:
        raise HTTPException(404, f"There is no {urls.API}/{path}.")


def _serve_pages(server: FastAPI, app: Any) -> None:
    """The document for every address; Dash adds it only where the server's start reaches it, and without status 404."""

    @server.get("/{path:path}", include_in_schema=False)
    async def document(path: str, request: Request) -> HTMLResponse:
        page, _ = pages.find(f"/{path}".rstrip("/") or urls.HOME)
        token = set_current_request(request)
        try:
            return HTMLResponse(app.index(), 404 if page is None else 200)
        finally:
            reset_current_request(token)

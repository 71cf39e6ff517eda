"""The server: Dash on FastAPI, the pages and the JSON routes beside them, around one model bundle."""

import logging
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException

from app import api, pages, urls
from app.components import failed, link_button
from app.context import Context
from app.shell import LOCATION, PAGE, shell
from model.bundle import DEFAULT_BUNDLE, load_bundle

ASSETS = Path(__file__).parent.parent / "assets"
WEBSOCKET_MESSAGE_BYTES = 64 * 2**20


def create_app(
    bundle_path: Path | str = DEFAULT_BUNDLE, data_path: Path | str | None = None, *, int8: bool = False
) -> FastAPI:
    """The ASGI application for the bundle in `bundle_path`, with the images of the data set in `data_path` if given.

    With `int8` it runs the bundle's quantised network.
    Raises BundleError when the bundle is not complete, and DataError when `data_path` is no data set.
    """
    context = Context(load_bundle(bundle_path, int8=int8), None if data_path is None else Path(data_path))
    logging.getLogger(__name__).info("%d images of the data set are here.", len(context.image_paths))
    server = FastAPI(title="LesionLens", docs_url=None, redoc_url=None, openapi_url=f"{urls.API}/openapi.json")
    server.state.context = context
    api.register(server, context)
    for page in pages.PAGES.values():
        page.register_api(server, context)
    _refuse_unknown_api(server)
    app = Dash(
        __name__,
        server=server,
        websocket_callbacks=True,
        assets_folder=str(ASSETS),
        title="LesionLens",
        update_title=None,
        suppress_callback_exceptions=True,
        compress=True,
        serve_locally=True,
        description="See what a skin-lesion classifier looks at. Teaching and research tool, not for diagnosis.",
    )
    stores = [store for page in pages.PAGES.values() for store in page.stores()]
    app.layout = shell(context, stores)
    _register_router(app, context)
    for page in pages.PAGES.values():
        page.register_callbacks(app, context)
    # Dash collects its assets at the first request for "/" or one of its own routes; a first visitor who follows a
    # link to another page would get a page without styles.
    app._setup_server()
    return server


def _register_router(app: Any, context: Context) -> None:
    @app.callback(
        Output(PAGE, "children"),
        Input(LOCATION, "pathname"),
        Input(LOCATION, "search"),
        running=[(Output(PAGE, "aria-busy"), "true", "false")],
    )
    def show(pathname: str, search: str) -> Component:
        try:
            return pages.render(context, pathname, urls.parse_query(search))
        except Exception:
            logging.getLogger(__name__).exception("The page %s failed.", pathname)
            return failed(
                "This page could not be built",
                "The server's output says why. Other pages still work.",
                link_button("Back to Explain", urls.explain()),
            )


def _refuse_unknown_api(server: FastAPI) -> None:
    """Without this, Dash's catch-all would answer a mistyped API address with the dashboard."""

    @server.get(urls.API + "/{path:path}", include_in_schema=False)
    def unknown(path: str) -> None:
        raise HTTPException(404, f"There is no {urls.API}/{path}.")

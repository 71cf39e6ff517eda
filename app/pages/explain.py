"""Explain: why did the model say this about my image, and should I believe it?

The browser holds the images (assets/explain.js) and asks for one explanation a method; the server answers from the
image that comes with the question and keeps nothing.
"""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from fastapi import FastAPI, Response

from app import urls
from app.api import check_question, explained, sample_image
from app.components import icon, page_header
from app.context import Context
from app.heatmaps import attribution_from
from app.jobs import Jobs
from app.probabilities import probability_bars
from app.streaming import progress_store, result_store, stream_explanation
from app.uploads import pixels
from explain import METHOD_NAMES, METHODS
from explain.export import png_bytes
from explain.overlay import OPACITY
from model.classes import DIAGNOSES
from model.phantoms import SAMPLES

METHOD_SENTENCES = {
    "gradcam": "How much each place of the last feature map adds to the logit.",
    "shap": "How much the logit changes with each region, averaged over what else is visible.",
    "lime": "The weight of each region in a linear model of the logit around this image.",
}
CURRENT = "explain-current"
ROOT = "explain-root"
BUTTONS = {"cancel": "cancel", "again": "again", "downloadPng": "png", "downloadNpz": "npz"}


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The page with the sample, target and contrast of its address."""
    return html.Div(
        [
            page_header("Explain", "Why did the model say this about my image, and should I believe it?"),
            dcc.Store(id="explain-query", data=dict(query)),
            dcc.Store(id="explain-names", data={diagnosis.code: diagnosis.name for diagnosis in DIAGNOSES}),
            _upload(),
            _images(),
            html.Div(
                [
                    html.Div([_original(), _probabilities()], className="explain-left"),
                    html.Div([_controls(query), _cards()], className="explain-right"),
                ],
                className="explain-work",
            ),
            _failure(),
            _samples(),
            dcc.Store(id="explain-picture"),
            dcc.Download(id="explain-download"),
        ],
        id=ROOT,
        className="explain",
        **{"data-state": "empty", "data-view": _view(query)},
    )


def stores() -> list[Component]:
    """The image that is shown, and each method's question, progress and map."""
    names = [CURRENT, *(f(method) for method in METHODS for f in STORES)]
    return [dcc.Store(id=name) for name in names]


def request_store(method: str) -> str:
    """The id of the store through which the browser asks for an explanation."""
    return f"explain-request-{method}"


def stop_store(method: str) -> str:
    """The id of the store through which the browser cancels an explanation."""
    return f"explain-stop-{method}"


STORES = (request_store, stop_store, progress_store, result_store)


def _upload() -> Component:
    return html.Div(
        [
            dcc.Upload(
                html.Div(
                    [
                        icon("photo-plus", 28),
                        html.Div(
                            [
                                html.Div("Drop dermatoscopic images here", className="upload-title"),
                                html.Div(
                                    "JPEG, PNG, WebP, BMP or TIFF, up to 20 MB each. They stay in this browser tab; "
                                    "the server keeps nothing.",
                                    className="upload-text",
                                ),
                            ]
                        ),
                        dmc.Button("Choose images", id="explain-choose", size="sm"),
                    ],
                    className="upload-content",
                ),
                id="explain-upload",
                className="upload",
                className_active="upload upload-active",
                multiple=True,
                style={},
                style_active={},
            ),
            html.Div(id="explain-opening", className="caption", role="status", **{"aria-live": "polite"}),
        ],
        className="explain-upload",
    )


def _samples() -> Component:
    links = [
        dcc.Link(
            [
                html.Img(src=f"{urls.API}/samples/{name}/thumbnail.png", alt="", width=240, height=180),
                html.Span(recipe.title, className="sample-title"),
            ],
            href=urls.explain(sample=name),
            className="sample",
            title=recipe.description,
        )
        for name, recipe in SAMPLES.items()
    ]
    return html.Section(
        [
            dmc.Title("Or open a sample", order=2),
            html.P("Computer-drawn phantoms, pictures of no patient.", className="caption"),
            html.Div(links, className="samples"),
        ],
        className="explain-samples",
    )


def _images() -> Component:
    """Which image is shown, and the way to the others."""
    return html.Section(
        [
            html.Div(
                [html.H2(id="explain-name", className="image-name"), html.Div(id="explain-facts", className="caption")],
                className="image-title",
            ),
            html.Div(id="explain-thumbnails", className="thumbnails", role="group", **{"aria-label": "Images"}),
            html.Div(
                [
                    _page_button("explain-previous", "chevron-left", "Previous image"),
                    html.Span(id="explain-position", className="pager-position", role="status"),
                    _page_button("explain-next", "chevron-right", "Next image"),
                ],
                className="pager",
            ),
        ],
        className="image-strip",
        **{"aria-label": "Images"},
    )


def _page_button(identifier: str, icon_name: str, label: str) -> Component:
    return dmc.ActionIcon(icon(icon_name, 18), id=identifier, variant="default", **{"aria-label": label})


def _original() -> Component:
    picture = [
        html.Img(id="explain-original", alt="The image as opened"),
        html.Span("synthetic", className="synthetic-mark"),
    ]
    return html.Section(
        html.Div(picture, className="picture"), className="panel explain-image", **{"aria-label": "Image"}
    )


def _probabilities() -> Component:
    return html.Section(
        [
            html.Div(dmc.Title("Calibrated probabilities", order=2), className="panel-heading"),
            html.Div(
                [dmc.Skeleton(height=18, mb=14), *(dmc.Skeleton(height=24, mb=8) for _ in DIAGNOSES)],
                id="explain-probabilities",
                **{"aria-live": "polite"},
            ),
        ],
        className="panel",
    )


def _controls(query: Mapping[str, str]) -> Component:
    classes = [{"value": diagnosis.code, "label": diagnosis.name} for diagnosis in DIAGNOSES]
    codes = {diagnosis.code for diagnosis in DIAGNOSES}
    target, against = (query.get(name) if query.get(name) in codes else None for name in ("target", "against"))
    views = [{"value": "all", "label": "All"}, *({"value": m, "label": METHOD_NAMES[m]} for m in METHODS)]
    return html.Div(
        [
            dmc.Select(
                id="explain-target",
                label="Explain",
                data=classes,
                value=target,
                placeholder="The called class",
                clearable=True,
                className="control-class",
            ),
            dmc.Select(
                id="explain-against",
                label="rather than",
                data=classes,
                value=against,
                placeholder="No contrast",
                clearable=True,
                className="control-class",
            ),
            html.Div(
                [
                    html.Label("Heatmap opacity", htmlFor="explain-opacity", className="control-label"),
                    dmc.Slider(
                        id="explain-opacity",
                        min=0,
                        max=100,
                        value=round(100 * OPACITY),
                        step=5,
                        updatemode="drag",
                        thumbLabel="Heatmap opacity in percent",
                        size="sm",
                        **{"aria-label": "Heatmap opacity"},
                    ),
                ],
                className="control-opacity",
            ),
            html.Div(
                [
                    html.Span("View", className="control-label"),
                    dmc.SegmentedControl(
                        id="explain-view",
                        data=views,
                        value=_view(query),
                        size="xs",
                        **{"aria-label": "View"},
                    ),
                ]
            ),
        ],
        className="panel explain-controls",
    )


def _view(query: Mapping[str, str]) -> str:
    view = query.get("view", "all")
    return view if view in METHODS else "all"


def _cards() -> Component:
    return html.Div(
        [
            html.Div(id="explain-question", className="question", role="status", **{"aria-live": "polite"}),
            html.Div([_card(method) for method in METHODS], className="heat-cards"),
        ]
    )


def _card(method: str) -> Component:
    name = METHOD_NAMES[method]

    def part(kind: str) -> str:
        return f"explain-{kind}-{method}"

    downloads = [
        dmc.Button(
            kind.upper(),
            id=part(kind),
            leftSection=icon("download", 14),
            variant="subtle",
            size="compact-xs",
            **{"aria-label": f"Download {name} as {kind.upper()}"},
        )
        for kind in ("png", "npz")
    ]
    pictures = [
        html.Figure(
            [
                html.Div(
                    [
                        html.Img(id=part("plain"), alt="Original image"),
                        html.Span("synthetic", className="synthetic-mark"),
                    ],
                    className="picture",
                ),
                html.Figcaption("Original"),
            ],
            className="picture-original",
        ),
        html.Figure(
            [
                html.Div(
                    [
                        html.Img(id=part("under"), alt="Original image"),
                        html.Img(id=part("heat"), alt=f"{name} heatmap over the image", className="heat"),
                    ],
                    className="picture",
                ),
                html.Figcaption("Overlay"),
            ]
        ),
        html.Figure(
            [
                html.Div(html.Img(id=part("map"), alt=f"{name} heatmap alone"), className="picture picture-map"),
                html.Figcaption("Map"),
            ]
        ),
    ]
    colour_bar = html.Div(
        [
            html.Div(id=part("scale"), className="colour-scale"),
            html.Div([html.Span(id=part(kind)) for kind in ("low", "middle", "high")], className="colour-numbers"),
        ],
        className="colour-bar",
    )
    progress = html.Div(
        [
            dmc.Progress(id=part("amount"), value=0, size="sm", **{"aria-label": f"{name} progress"}),
            html.Div(
                [
                    html.Span(id=part("status"), className="heat-status"),
                    dmc.Button(
                        "Cancel",
                        id=part("cancel"),
                        variant="default",
                        size="compact-xs",
                        leftSection=icon("x", 14),
                        **{"aria-label": f"Cancel {name}"},
                    ),
                    dmc.Button(
                        "Run again",
                        id=part("again"),
                        variant="default",
                        size="compact-xs",
                        leftSection=icon("refresh", 14),
                        **{"aria-label": f"Run {name} again"},
                    ),
                ],
                className="heat-progress-row",
            ),
        ],
        className="heat-progress",
    )
    return html.Section(
        [
            html.Div(
                [dmc.Title(name, order=2), html.Div(downloads, className="heat-downloads")], className="panel-heading"
            ),
            html.Div(pictures, className="pictures"),
            colour_bar,
            progress,
            html.P(METHOD_SENTENCES[method], className="caption"),
            html.Div(id=part("announce"), className="visually-hidden", role="status", **{"aria-live": "polite"}),
        ],
        id=part("card"),
        className="panel heat-card",
        **{"data-state": "idle", "data-method": method, "aria-label": name},
    )


def _failure() -> Component:
    return html.Div(
        [
            html.Div(
                [
                    icon("alert-triangle", 28),
                    html.Div(id="explain-failed-name", className="state-title"),
                    html.Div(id="explain-failed-text", className="state-text"),
                ],
                className="state state-failed",
                role="alert",
            )
        ],
        className="explain-failed",
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """Make the page respond: pictures and pages of pictures in the browser, probabilities and maps from the server."""
    jobs = Jobs()
    _register_browser(app)

    @app.callback(Output("explain-probabilities", "children"), Input(CURRENT, "data"), prevent_initial_call=True)
    def show_probabilities(current: dict[str, Any] | None) -> Component | None:
        if not current or "error" in current:
            return None
        return probability_bars(context.bundle.card, current["predicted"], current["probabilities"])

    @app.callback(Output("explain-download", "data"), Input("explain-picture", "data"), prevent_initial_call=True)
    def picture(chosen: dict[str, Any]) -> dict[str, Any]:
        attribution = attribution_from(chosen["npz"])
        content = png_bytes(pixels(chosen["source"]), attribution, min(max(float(chosen["opacity"]), 0.0), 1.0))
        return dcc.send_bytes(content, chosen["filename"])

    for method in METHODS:
        _register_method(app, context, jobs, method)

    @app.server.post(f"{urls.API}/explain/leave", include_in_schema=False)
    async def leave(tab: str) -> Response:
        """A tab says goodbye; other tabs may hold the WebSocket open, so that the server would not notice."""
        jobs.stop_tab(tab)
        return Response(status_code=204)


def _register_method(app: Dash, context: Context, jobs: Jobs, method: str) -> None:
    @app.callback(Input(request_store(method), "data"), prevent_initial_call=True)
    async def run(request: dict[str, str] | None) -> None:
        if request:
            await stream_explanation(context, jobs, method, request)

    @app.callback(Input(stop_store(method), "data"), prevent_initial_call=True)
    async def stop(request: dict[str, str] | None) -> None:
        if request:
            jobs.stop((request["tab"], method))


def _register_browser(app: Dash) -> None:
    def browser(name: str, *dependencies: Any) -> None:
        app.clientside_callback(ClientsideFunction("explain", name), *dependencies, prevent_initial_call=True)

    upload = "explain-upload"
    browser("open", Output(upload, "contents"), Input(upload, "contents"), State(upload, "filename"))
    app.clientside_callback(
        ClientsideFunction("explain", "arrive"),
        Output("explain-opening", "children"),  # without an output Dash would not call it when the page appears
        Input("explain-query", "data"),
    )
    browser("page", Input("explain-previous", "n_clicks"), Input("explain-next", "n_clicks"))
    browser("choose", Input({"type": "explain-thumbnail", "index": ALL}, "n_clicks"))
    browser("show", Input(CURRENT, "data"))
    browser(
        "ask",
        Input(CURRENT, "data"),
        Input("explain-target", "value"),
        Input("explain-against", "value"),
        State("explain-names", "data"),
    )
    browser("opacity", Input("explain-opacity", "value"))
    browser("view", Output(ROOT, "data-view"), Input("explain-view", "value"))
    for method in METHODS:
        name = State(f"explain-card-{method}", "data-method")
        browser("progress", Input(progress_store(method), "data"), name)
        browser("result", Input(result_store(method), "data"), name)
        for function, button in BUTTONS.items():
            browser(function, Input(f"explain-{button}-{method}", "n_clicks"), name)


def register_api(server: FastAPI, context: Context) -> None:
    """The JSON of what the page shows of a sample; an image of one's own is posted to the same address."""

    @server.get(f"{urls.API}{urls.EXPLAIN}")
    def explain_sample(
        sample: str, method: str = METHODS[0], target: str | None = None, against: str | None = None
    ) -> dict[str, Any]:
        check_question(context, method, target, against)
        image = sample_image(sample)
        return explained(context, SAMPLES[sample].title, image, method, target, against)

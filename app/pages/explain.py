"""Explain: why did the model say this about my image, and should I believe it?

The browser holds the images (assets/explain.js) and asks for one explanation a method; the server answers from the
image that comes with the question and keeps nothing.
"""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from fastapi import Depends, FastAPI, HTTPException, Request

from analysis.options import OptionGain
from app import explain_parts as parts
from app import urls
from app.api import explained, sample_image
from app.asked_map import AskedMap, asked_map
from app.audit_note import model_note
from app.case_images import case_pixels
from app.certainty_parts import certainty, folds_agreement, novelty_alert
from app.components import page_header
from app.context import Context
from app.disconnect import finished
from app.heat_card import heat_card
from app.heatmaps import attribution_from
from app.html_text import text_box
from app.learnt_note import asked_bundles, learnt_note
from app.method_choice import LAYERED, chosen_methods, layer_choice
from app.patient_parts import patient_panel, register_patient
from app.probabilities import probability_bars
from app.trust_panel import curves_dialog
from app.uploads import pixels
from explain.export import png_bytes
from explain.methods import METHODS
from model.bundle import BundleError
from model.classes import diagnosis
from model.phantoms import SAMPLES

CURRENT = "explain-current"
ROOT = "explain-root"
# What to explain, against what, by which methods, at which layer.
CHOICE = (
    ("explain-target", "value"),
    ("explain-against", "value"),
    ("explain-methods", "value"),
    ("explain-layer", "value"),
)


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The page with the sample, target and contrast of its address."""
    classes = context.bundle.card.classes
    known = {code: {"name": method.name, "sentence": method.sentence} for code, method in METHODS.items()}
    return html.Div(
        [
            page_header(
                "Explain", "Why did the model say this about my image, and should I believe it?", parts.upload()
            ),
            *model_note(context),
            dcc.Store(id=CURRENT),
            dcc.Store(id="explain-query", data=dict(query)),
            dcc.Store(id="explain-known-methods", data=known),
            dcc.Store(id="explain-names", data={code: diagnosis(code).name for code in classes}),
            parts.image_strip(),
            html.Div(
                [
                    html.Div(
                        [
                            parts.original(),
                            parts.probabilities(context.bundle.card, query, context.ensemble_size, _gains(context)),
                            *patient_panel(context, query),
                        ],
                        className="explain-left",
                    ),
                    html.Div([parts.controls(classes, query), _cards(context, query)], className="explain-right"),
                ],
                className="explain-work",
            ),
            parts.failure(),
            parts.samples(),
            curves_dialog(),
            dcc.Store(id="explain-picture"),
            dcc.Download(id="explain-download"),
        ],
        id=ROOT,
        className="explain",
        **{"data-state": "empty", "data-view": parts.chosen_view(query)},
    )


def _gains(context: Context) -> tuple[OptionGain, ...]:
    return () if context.cross_validation is None else context.cross_validation.options


def _cards(context: Context, query: Mapping[str, str]) -> Component:
    chosen, view = chosen_methods(query), parts.chosen_view(query)
    shown = chosen if view == "all" else [view]
    own = {LAYERED: [layer_choice(context.bundle, query)]}
    cards = [heat_card(method, *own.get(method, []), shown=method in shown) for method in METHODS]
    return html.Div(
        [
            html.Div(id="explain-question", className="question", role="status", **{"aria-live": "polite"}),
            html.Div(cards, className="heat-cards"),
        ]
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """Make the page respond: pictures and pages of pictures in the browser, probabilities and maps from the server."""
    _register_browser(app)

    @app.callback(
        Output("explain-novelty", "children"),
        Output("explain-probabilities", "children"),
        Input(CURRENT, "data"),
        prevent_initial_call=True,
    )
    def show_prediction(current: dict[str, Any] | None) -> tuple[list[Component | None], Component | None]:
        if not current or "error" in current:
            return [], None
        card, novelty = context.bundle.card, current["novelty"]
        try:
            asked = asked_bundles(context, current)
            if len(asked) > 1:
                card = replace(card, class_prior=context.ensemble.class_prior)
        except BundleError as error:  # the tab is older than the server
            return [], html.P(str(error), className="caption")
        bars = probability_bars(card, current["predicted"], current["probabilities"])
        novel = "yes" if novelty is not None and novelty["novel"] else "no"
        attributes = {"data-number": current["number"], "data-novel": novel, **parts.about(current)}
        shown = text_box([bars, certainty(current)], **attributes)
        alert = novelty_alert(novelty, synthetic=bool(current.get("synthetic")))
        notes = html.Div([alert, learnt_note(context, current.get("case"), asked)], **parts.about(current))
        return [notes], shown

    @app.callback(Output(parts.FOLDS_SAID, "children"), Input(parts.FOLDS, "data"), prevent_initial_call=True)
    def show_folds(said: dict[str, Any]) -> Component:
        return html.Div(folds_agreement(said["predicted"], said["disagreement"]), **{"data-about": said["about"]})

    @app.callback(Output("explain-download", "data"), Input("explain-picture", "data"), prevent_initial_call=True)
    def picture(chosen: dict[str, Any]) -> dict[str, Any]:
        attribution = attribution_from(chosen["npz"])
        content = png_bytes(pixels(chosen["source"]), attribution, min(max(float(chosen["opacity"]), 0.0), 1.0))
        return dcc.send_bytes(content, chosen["filename"])

    register_patient(app, context, CURRENT)


def _register_browser(app: Dash) -> None:
    def browser(name: str, *dependencies: Any) -> None:
        app.clientside_callback(ClientsideFunction("explain", name), *dependencies, prevent_initial_call=True)

    upload = "explain-upload"
    browser("open", Output(upload, "contents"), Input(upload, "contents"), State(upload, "filename"))
    app.clientside_callback(
        ClientsideFunction("explain", "arrive"),
        Output("explain-opening", "children"),  # without an output Dash would not call it when the page appears
        Input("explain-query", "data"),
        State("explain-tta", "checked"),
        State("explain-ensemble", "checked"),
        State("explain-known-methods", "data"),
        State("explain-names", "data"),
        State("explain-layer", "data"),
        State("explain-view", "value"),
        *(State(*control) for control in CHOICE),
    )
    browser("page", Input("explain-previous", "n_clicks"), Input("explain-next", "n_clicks"))
    browser("ask", *(Input(*control) for control in CHOICE))
    browser("model", Input("explain-tta", "checked"), Input("explain-ensemble", "checked"))
    browser("opacity", Input("explain-opacity", "value"))
    browser("view", Output(ROOT, "data-view"), Input("explain-view", "value"))
    app.clientside_callback(
        ClientsideFunction("trust", "baselines"),
        Input("explain-curves-baselines", "value"),
        prevent_initial_call=True,
    )


def register_api(server: FastAPI, context: Context) -> None:
    """The JSON of what the page shows of a sample or a case; an image of one's own is posted to the same address."""

    @server.get(f"{urls.API}{urls.EXPLAIN}")
    async def explain_known(
        request: Request,
        asked: Annotated[AskedMap, Depends(asked_map(context))],
        sample: str | None = None,
        case: str | None = None,
    ) -> dict[str, Any]:
        if sample is not None and case is None:
            image, name = sample_image(sample), SAMPLES[sample].title
        elif case is not None and sample is None:
            image, name = await asyncio.to_thread(case_pixels, context, case), case
        else:
            raise HTTPException(422, "Name a sample or a case.")
        left = threading.Event()
        answer = partial(explained, context, name, image, asked, left.is_set)
        work = asyncio.get_running_loop().run_in_executor(context.explanation_threads, answer)
        return await finished(request, work, left)

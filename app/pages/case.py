"""Case: one image of the test part or of an audit, what the model said of it, and where it looked."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from dash import ClientsideFunction, Dash, Input, dcc, html
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException

from analysis.artefacts import shows
from analysis.predictions import logits, probabilities
from analysis.selection import Selection, select
from app import urls
from app.artefact_words import NAMES, artefact_in_words, doubts
from app.audit_note import cases_note, no_predictions, no_such_case
from app.case_images import opacity_slider, picture
from app.case_query import QueryError, read_selection, write_selection
from app.class_names import named
from app.components import class_chip, failed, icon, link_button, page_header, panel
from app.confirmations import CONFIRMATIONS
from app.context import Context
from app.jsonable import jsonable
from app.model_choice import root_of_predicting
from app.numbers import percent, signed
from app.probabilities import probabilities_title, probability_bars
from app.results import Results
from explain.attribution import Target
from model.classes import diagnosis

OPACITY = "case-opacity"


def layout(context: Context, query: Mapping[str, str], image_id: str) -> Component:
    """The page of one case, with its neighbours among the cases that the query selects."""
    results = context.results
    back = link_button("All cases", urls.cases(), "arrow-left")
    if results.problem:
        return html.Div([page_header(image_id, ""), no_predictions(context)])
    if image_id not in results.table.index:
        return failed("There is no such case", no_such_case(context, image_id), back)
    try:
        selection = read_selection(query, results.classes, results.artefacts)
    except QueryError as error:
        return failed("This selection means nothing", str(error), back)
    case = results.case(image_id)
    shares = _by_class(results, case, "probability")
    return html.Div(
        [
            page_header(
                image_id,
                _sentence(case),
                *_neighbours(results, selection, image_id),
                *_explain_link(context, case),
            ),
            *cases_note(context),
            html.Div(
                [
                    panel(
                        "Where the model looked: Grad-CAM at the last feature map",
                        html.Div(
                            [
                                _figure(context, case, None, "The image"),
                                *(_figure(context, case, one, title) for one, title in _targets(case, shares)),
                            ],
                            className="case-figures",
                        ),
                        html.P(
                            "Colour speaks for a class, the stronger the more; slate speaks against it. In a contrast "
                            "the two classes' colours speak for either. Each map is scaled to its own largest value.",
                            className="caption",
                        ),
                        actions=[opacity_slider(OPACITY)],
                    ),
                    html.Div(
                        [
                            panel(
                                probabilities_title(context.bundle.card),
                                probability_bars(context.bundle.card, str(case["predicted"]), shares),
                            ),
                            panel("What is known of the case", _facts(results, case)),
                            *_image_quality(results, case),
                        ],
                        className="case-side",
                    ),
                ],
                className="panels case-layout",
            ),
        ],
        className="page-stack",
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """The opacity of the heatmaps follows its slider, in the browser."""
    app.clientside_callback(ClientsideFunction("cases", "fade"), Input(OPACITY, "value"))


def register_api(server: FastAPI, context: Context) -> None:
    """A case as JSON: what is known, what the model said, and its stored maps."""

    @server.get(urls.json_twin(urls.CASE))
    def case(image_id: str) -> Any:
        results = context.results
        if image_id not in results.table.index:
            raise HTTPException(404, no_such_case(context, image_id))
        row = results.case(image_id)
        return jsonable({**row.to_dict(), "gradcam": results.maps(image_id)})


def _by_class(results: Results, case: "pd.Series[Any]", kind: str) -> dict[str, float]:
    read = probabilities if kind == "probability" else logits
    values = read(results.table.loc[[case["image_id"]]], results.classes)[0]
    return dict(zip(results.classes, (float(value) for value in values), strict=True))


def _sentence(case: "pd.Series[Any]") -> str:
    verdict = "rightly" if case["correct"] else "wrongly"
    truth = diagnosis(case["diagnosis"]).name
    return f"{truth}, {verdict} called {named(case['predicted'])} with a probability of {percent(case['confidence'])}."


def _targets(case: "pd.Series[Any]", shares: Mapping[str, float]) -> list[tuple[Target, str]]:
    """What the heatmaps explain: the called class, the diagnosis (if called rightly the runner-up), their contrast."""
    called, truth = str(case["predicted"]), str(case["diagnosis"])
    if called != truth:
        return [
            (Target(called), f"For {named(called)}, as called"),
            (Target(truth), f"For {named(truth)}, the diagnosis"),
            (Target(called, truth), f"For {named(called)} rather than {named(truth)}"),
        ]
    rival = max((code for code in shares if code != called), key=lambda code: shares[code])
    return [
        (Target(called), f"For {named(called)}, rightly called"),
        (Target(rival), f"For {named(rival)}, the strongest rival"),
        (Target(called, rival), f"For {named(called)} rather than {named(rival)}"),
    ]


def _figure(context: Context, case: "pd.Series[Any]", target: Target | None, title: str) -> Component:
    return html.Figure(
        [
            picture(context, str(case["image_id"]), target, large=True),
            html.Figcaption([title, _ends(target) if target is not None else None]),
        ]
    )


def _ends(target: Target) -> Component:
    """Which colours speak for and against the target."""
    against = html.Span("against it", className="end slate") if target.against is None else class_chip(target.against)
    return html.Span([class_chip(target.code), against], className="ends")


def _explain_link(context: Context, case: "pd.Series[Any]") -> list[Component]:
    """The way to SHAP and LIME, which need the image: by the model that predicted the case, if that is here."""
    image_id = str(case["image_id"])
    if image_id not in context.image_paths:
        return []
    root = None if context.audit is None else root_of_predicting(context, str(case["model"]))
    if root is not None:
        with urls.under(root):
            address = urls.explain(case=image_id)
        # Another application's page, so no link within this one.
        return [html.A([icon("photo-search", 16), "Explain"], href=address, className="button-link")]
    return [link_button("Explain", urls.explain(case=image_id), "photo-search")]


def _neighbours(results: Results, selection: Selection, image_id: str) -> list[Component]:
    cases = select(results.table, selection)
    query = write_selection(selection)
    overview = urls.cases(**query)
    if image_id not in cases.index:
        return [link_button("All cases", urls.cases(), "arrow-left")]
    place = cases.index.to_list().index(image_id)
    position = html.Span(f"{place + 1:,} of {len(cases):,}", className="quiet")
    before = _neighbour("Previous", "chevron-left", cases, place - 1, query)
    after = _neighbour("Next", "chevron-right", cases, place + 1, query)
    return [link_button("Cases", overview, "layout-grid"), before, position, after]


def _neighbour(
    label: str, icon_name: str, cases: pd.DataFrame, place: int, query: Mapping[str, str | None]
) -> Component:
    if not 0 <= place < len(cases):
        return html.Span(label, className="button-link disabled", **{"aria-disabled": "true"})
    return link_button(label, urls.case(str(cases.index[place]), **query), icon_name)


def _facts(results: Results, case: "pd.Series[Any]") -> Component:
    siblings = int((results.table["lesion_id"] == case["lesion_id"]).sum())
    images = "1 image" if siblings == 1 else f"{siblings} images"
    lesion = urls.cases(search=str(case["lesion_id"]))
    facts: list[tuple[str, Any]] = [
        ("Diagnosis", class_chip(str(case["diagnosis"]), full_name=True)),
        ("Confirmed by", CONFIRMATIONS.get(str(case["confirmation"]), "unknown")),
        ("Age", "unknown" if pd.isna(case["age"]) else f"{case['age']:.0f} years"),
        ("Sex", case["sex"]),
        ("Site", case["site"]),
        ("Lesion", dcc.Link(f"{case['lesion_id']} ({images})", href=lesion, className="text-link")),
    ]
    if case["diagnosis"] != case["predicted"]:
        code, against = str(case["predicted"]), str(case["diagnosis"])
        scores = _by_class(results, case, "logit")
        facts.append((f"Margin {code} − {against}", f"{signed(scores[code] - scores[against])} logits"))
    if results.audit is not None:
        facts.append(("Predicted by", f"{case['model']}{', which has learnt this lesion' if case['seen'] else ''}"))
    return _definitions(facts)


def _image_quality(results: Results, case: "pd.Series[Any]") -> list[Component]:
    """What the image shows beside skin and lesion, where that is known, with a word on finds that are often wrong."""
    if not results.artefacts:
        return []
    facts = [(NAMES[name].capitalize(), artefact_in_words(name, float(case[name]))) for name in results.artefacts]
    row = results.table.loc[[case["image_id"]]]
    caution = doubts([name for name in results.artefacts if shows(row, name)[0]])
    note = html.P(f"Percentages are shares of the image. {caution}", className="caption")
    return [panel("What else the image shows", _definitions(facts), note)]


def _definitions(facts: Sequence[tuple[str, Any]]) -> Component:
    pairs = [part for label, value in facts for part in (html.Dt(label), html.Dd(value))]
    return html.Dl(pairs, className="facts-list")

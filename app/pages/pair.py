"""Pair: why are two classes confused, and what would another threshold cost?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash import ClientsideFunction, Dash, Input, NoUpdate, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Response

from analysis.pair import (
    HISTOLOGY,
    OperatingPoint,
    PairAudit,
    PairError,
    alarm_cases,
    missed_cases,
    operating_point,
    operating_points,
)
from app import urls
from app.audit_note import cases_note, no_predictions
from app.case_images import opacity_slider, picture
from app.class_names import named
from app.components import class_chip, download_link, failed, graph, link_button, page_header, panel, statistic
from app.context import Context
from app.csv_answers import csv_answer, estimate_columns
from app.figures import margin_figure, pair_roc_figure
from app.jsonable import jsonable
from app.numbers import decimal, interval, percent, percent_interval, signed
from app.results import Results
from app.shell import LOCATION
from explain.attribution import Target
from model.classes import diagnosis

STEP = 0.05  # logits
STEPS = 600
SHOWN_ERRORS = 6
CELLS = {"found": (True, True), "missed": (True, False), "alarms": (False, True), "cleared": (False, False)}
RATES = ("sensitivity", "specificity", "precision")
MARGIN = "pair-margin"
POINTS = "pair-points"
CODE, AGAINST, CONFIRMATION = "pair-code", "pair-against", "pair-confirmation"
OPACITY = "pair-opacity"
ALL = "all"


def layout(context: Context, query: Mapping[str, str], code: str, other: str) -> Component:
    """The audit of `code` against `other`, for the cases and at the margin of the query."""
    results = context.results
    if results.problem:
        return html.Div([page_header("Pair", ""), no_predictions(context)])
    first, second = results.first_pair
    back = link_button(f"{diagnosis(first).name} and {named(second)}", urls.pair(first, second))
    unknown = [one for one in (code, other) if one not in results.classes]
    if unknown:
        classes = ", ".join(results.classes)
        return failed("There is no such pair", f"{unknown[0]!r} is none of the classes {classes}.", back)
    histology_only = query.get("confirmation") == HISTOLOGY
    try:
        audit = results.pair(code, other, histology_only)
    except PairError as error:
        return failed("This pair cannot be audited", str(error), back)
    thresholds = slider_thresholds(audit, results.pair_threshold(code, other))
    chosen = _nearest(thresholds, _read_margin(query), results.pair_threshold(code, other))
    point = operating_point(audit, chosen)
    return html.Div(
        [
            page_header(
                f"{diagnosis(code).name} and {named(other)}",
                html.Span(_answer(audit, point), id="pair-answer"),
                *_choice(results, audit, query),
            ),
            *cases_note(context),
            dcc.Store(id=POINTS, data=_points(audit, thresholds, histology_only)),
            html.Div(
                [
                    panel(
                        "The cases of the pair, by diagnosis and by what the margin decides",
                        _cells(audit, point, histology_only),
                        _threshold_control(results, audit, thresholds, chosen),
                        actions=[download_link("CSV", _csv(audit, query))],
                    ),
                    html.Div(_tiles(results, audit, point), className="pair-tiles"),
                ],
                className="panels pair-top",
            ),
            html.Div(
                [
                    panel(
                        "Distribution of the margin in either class",
                        graph(margin_figure(audit, chosen), "pair-margins", f"lesionlens_{code}_{other}_margin", 360),
                    ),
                    panel(
                        "ROC of the pair by its margin, with the chosen margin",
                        graph(
                            pair_roc_figure(audit, point.sensitivity.value, point.specificity.value),
                            "pair-roc",
                            f"lesionlens_{code}_{other}_roc",
                            360,
                        ),
                    ),
                ],
                className="panels two",
            ),
            *_galleries(context, audit, chosen),
        ],
        className="page-stack",
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """The margin moves everything in the browser; other classes or cases change the address, and with it the page."""

    @app.callback(
        Output(LOCATION, "pathname", allow_duplicate=True),
        Output(LOCATION, "search", allow_duplicate=True),
        Input(CODE, "value"),
        Input(AGAINST, "value"),
        Input(CONFIRMATION, "value"),
        State(LOCATION, "pathname"),
        State(LOCATION, "search"),
        prevent_initial_call=True,
    )
    def choose(
        code: str, against: str, confirmation: str, pathname: str, search: str
    ) -> tuple[str | NoUpdate, str | NoUpdate]:
        query = urls.parse_query(search)
        chosen = None if confirmation == ALL else confirmation
        path = urls.pair(code, against)
        if (path, chosen) == (pathname, query.get("confirmation")) or code == against:
            return no_update, no_update
        return path, urls.search_of(urls.pair(code, against, confirmation=chosen))

    app.clientside_callback(
        ClientsideFunction("pair", "move"),
        *(Output(f"pair-{name}", "children") for name in CELLS),
        *(Output(f"pair-{name}-rate", "children") for name in CELLS),
        *(Output(f"pair-{name}-link", "href") for name in CELLS),
        *(Output(f"pair-{name}", "children") for name in RATES),
        *(Output(f"pair-{name}-interval", "children") for name in RATES),
        Output("pair-threshold", "children"),
        Output("pair-answer", "children"),
        Input(MARGIN, "value"),
        State(POINTS, "data"),
    )
    app.clientside_callback(ClientsideFunction("cases", "fade"), Input(OPACITY, "value"))


def register_api(server: FastAPI, context: Context) -> None:
    """The audit as JSON, and its operating points as CSV."""

    def audited(code: str, other: str, confirmation: str | None) -> PairAudit:
        classes = context.results.classes
        if not {code, other} <= set(classes):
            raise HTTPException(404, f"A pair is of two of the classes {', '.join(classes)}.")
        try:
            return context.results.pair(code, other, confirmation == HISTOLOGY)
        except PairError as error:
            raise HTTPException(404, str(error)) from None

    @server.get(urls.json_twin(urls.PAIR))
    def pair(code: str, other: str, confirmation: str | None = None, margin: float | None = None) -> Any:
        audit = audited(code, other, confirmation)
        threshold = context.results.pair_threshold(code, other) if margin is None else margin
        return jsonable(
            {
                "code": code,
                "against": other,
                "cases": len(audit.table),
                "auc": audit.auc,
                "model_threshold": context.results.pair_threshold(code, other),
                "operating_point": operating_point(audit, threshold),
                "missed": missed_cases(audit, threshold),
                "alarms": alarm_cases(audit, threshold),
            }
        )

    @server.get(f"{urls.json_twin(urls.PAIR)}/operating_points.csv")
    def operating_points_csv(code: str, other: str, confirmation: str | None = None) -> Response:
        audit = audited(code, other, confirmation)
        points = operating_points(audit, slider_thresholds(audit, context.results.pair_threshold(code, other)))
        table = pd.DataFrame([_flat(point) for point in points])
        return csv_answer(table, f"lesionlens_{code}_{other}_operating_points.csv")


def slider_thresholds(audit: PairAudit, model_threshold: float) -> list[float]:
    """Thresholds in even steps that go through the model's own and leave no case of the pair undivided.

    The steps are STEP, or wider where that would make more than about STEPS of them.
    """
    below = max(0.0, model_threshold - float(audit.margins[audit.positive].min()))
    above = max(0.0, float(audit.margins[~audit.positive].max()) - model_threshold)
    step = max(STEP, (below + above) / STEPS)
    steps = range(-math.ceil(below / step) - 1, math.ceil(above / step) + 2)
    return [model_threshold + step * each for each in steps]


def _nearest(thresholds: Sequence[float], wanted: float | None, default: float) -> float:
    return default if wanted is None else min(thresholds, key=lambda threshold: abs(threshold - wanted))


def _read_margin(query: Mapping[str, str]) -> float | None:
    try:
        margin = float(query.get("margin", ""))
    except ValueError:
        return None
    return margin if math.isfinite(margin) else None


def _answer_template(audit: PairAudit) -> str:
    """The sentence that answers the page's question, with THRESHOLD, FOUND and ALARMS left open."""
    positives = int(audit.positive.sum())
    return (
        f"Deciding between the two alone, from a margin of THRESHOLD up, finds FOUND of {positives:,} cases of "
        f"{named(audit.code)} and takes ALARMS of {len(audit.table) - positives:,} of {named(audit.against)} for it."
    )


def _answer(audit: PairAudit, point: OperatingPoint) -> str:
    blanks = {"THRESHOLD": signed(point.threshold), "FOUND": f"{point.found:,}", "ALARMS": f"{point.alarms:,}"}
    sentence = _answer_template(audit)
    for blank, text in blanks.items():
        sentence = sentence.replace(blank, text)
    return sentence


def _choice(results: Results, audit: PairAudit, query: Mapping[str, str]) -> list[Component]:
    options = [{"value": code, "label": diagnosis(code).name} for code in results.classes]
    confirmation = HISTOLOGY if query.get("confirmation") == HISTOLOGY else ALL

    def select(identifier: str, value: str, other: str, label: str) -> Component:
        data = [{**option, "disabled": option["value"] == other} for option in options]
        return dmc.Select(
            id=identifier, data=data, value=value, allowDeselect=False, size="xs", w=210, **{"aria-label": label}
        )

    return [
        select(CODE, audit.code, audit.against, "Class that is looked for"),
        html.Span("against", className="quiet"),
        select(AGAINST, audit.against, audit.code, "Class that it is told from"),
        dmc.SegmentedControl(
            id=CONFIRMATION,
            value=confirmation,
            data=[{"value": ALL, "label": "All cases"}, {"value": HISTOLOGY, "label": "Histology-confirmed"}],
            size="xs",
            **{"aria-label": "Which cases"},
        ),
    ]


def _cells(audit: PairAudit, point: OperatingPoint, histology_only: bool) -> Component:
    counts = asdict(point)
    hrefs = _cell_links(audit, histology_only)

    def cell(name: str) -> Component:
        of_code, decided = CELLS[name]
        total = point.found + point.missed if of_code else point.alarms + point.cleared
        return html.Td(
            dcc.Link(
                [
                    html.Span(f"{counts[name]:,}", id=f"pair-{name}", className="pair-count"),
                    html.Span(percent(counts[name] / total), id=f"pair-{name}-rate", className="pair-rate"),
                ],
                id=f"pair-{name}-link",
                href=hrefs[name].replace("THRESHOLD", repr(point.threshold)),
                className=f"pair-cell {'right' if of_code == decided else 'wrong'}",
            )
        )

    def row(code: str, first: str, second: str, total: int) -> Component:
        heading = [class_chip(code, full_name=True), html.Div(f"{total:,} cases", className="quiet")]
        return html.Tr([html.Th(heading, scope="row"), cell(first), cell(second)])

    header = html.Tr(
        [
            html.Th("diagnosis", scope="col"),
            html.Th([html.Span("decided"), class_chip(audit.code)], scope="col"),
            html.Th([html.Span("decided"), class_chip(audit.against)], scope="col"),
        ]
    )
    body = [
        row(audit.code, "found", "missed", point.found + point.missed),
        row(audit.against, "alarms", "cleared", point.alarms + point.cleared),
    ]
    return html.Table([html.Thead(header), html.Tbody(body)], className="table pair-cells")


def _cell_links(audit: PairAudit, histology_only: bool) -> dict[str, str]:
    """The address of each cell's cases, with THRESHOLD where the margin goes."""
    return {
        name: urls.cases(
            diagnosis=audit.code if of_code else audit.against,
            confirmation=HISTOLOGY if histology_only else None,
            margin=f"{audit.code},{audit.against}",
            **{"margin_from" if decided else "margin_below": "THRESHOLD"},
        )
        for name, (of_code, decided) in CELLS.items()
    }


def _threshold_control(results: Results, audit: PairAudit, thresholds: Sequence[float], chosen: float) -> Component:
    own = results.pair_threshold(audit.code, audit.against)
    return html.Div(
        [
            html.Div(
                [
                    html.Span(
                        ["Decide ", html.Strong(audit.code), f" from logit({audit.code}) − logit({audit.against}) ≥ "],
                        id="pair-margin-label",
                    ),
                    html.Strong(signed(chosen), id="pair-threshold", className="threshold"),
                ]
            ),
            dmc.Slider(
                id=MARGIN,
                value=round(chosen, 4),
                min=round(thresholds[0], 4),
                max=round(thresholds[-1], 4),
                step=round(thresholds[1] - thresholds[0], 4),
                precision=4,
                updatemode="drag",
                marks=[{"value": round(own, 4), "label": f"model’s own {signed(own)}"}],
                thumbLabel=f"Margin from which {audit.code} is decided, in logits",
                mb=26,
            ),
            html.P(
                f"The model's own margin makes {audit.code} and {audit.against} exceed their shares of the training "
                f"cases alike. Further left finds more {audit.code} and takes more {audit.against} for it.",
                className="caption",
            ),
        ],
        className="threshold-control",
    )


def _tiles(results: Results, audit: PairAudit, point: OperatingPoint) -> list[Component]:
    def live(label: str, name: str) -> Component:
        estimate = getattr(point, name)
        return html.Div(
            [
                html.Div(label, className="statistic-label"),
                html.Div(percent(estimate.value), id=f"pair-{name}", className="statistic-value"),
                html.Div(
                    f"95 % {percent_interval(estimate)}", id=f"pair-{name}-interval", className="statistic-detail"
                ),
            ],
            className="statistic",
        )

    return [
        live(f"Sensitivity: {audit.code} found", "sensitivity"),
        live(f"Specificity: {audit.against} left alone", "specificity"),
        live(f"Precision: decided {audit.code} and right", "precision"),
        *_auc_tiles(results, audit),
        html.P(_confirmation_sentence(results, audit), className="caption"),
    ]


def _confirmation_sentence(results: Results, audit: PairAudit) -> str:
    """Why the audit is shown for histology-confirmed cases, too."""
    confirmed = (results.table["confirmation"] == HISTOLOGY).groupby(results.table["diagnosis"]).mean()
    code, against = audit.code, audit.against
    return (
        f"Histology confirmed {percent(confirmed[code], 0)} of the cases of {code} and "
        f"{percent(confirmed[against], 0)} of {against}. Where the shares differ, telling the two apart is in part "
        "telling what was excised from what was left alone; among histology-confirmed cases it is not."
    )


def _auc_tiles(results: Results, audit: PairAudit) -> list[Component]:
    """The pair's AUC on all cases and on those confirmed by histology, side by side whichever is chosen."""
    tiles = []
    for label, histology_only in (("Pair AUC, all cases", False), ("Pair AUC, histology-confirmed", True)):
        try:
            one = results.pair(audit.code, audit.against, histology_only)
        except PairError as error:
            tiles.append(statistic(label, "–", str(error)))
            continue
        cases = f"{one.positive.sum():,} {audit.code}, {(~one.positive).sum():,} {audit.against}; chance 0.500"
        tiles.append(statistic(label, decimal(one.auc.value), f"95 % {interval(one.auc)}\n{cases}"))
    return tiles


def _points(audit: PairAudit, thresholds: Sequence[float], histology_only: bool) -> dict[str, Any]:
    """What the browser needs to follow the slider: counts, rates and intervals at every threshold, as columns."""
    points = operating_points(audit, thresholds)
    columns: dict[str, Any] = {name: [getattr(point, name) for point in points] for name in ("threshold", *CELLS)}
    for name in RATES:
        estimates = [getattr(point, name) for point in points]
        columns[name] = [[one.value, one.low, one.high] for one in estimates]
    return {**jsonable(columns), "links": _cell_links(audit, histology_only), "answer": _answer_template(audit)}


def _flat(point: OperatingPoint) -> dict[str, Any]:
    rates = estimate_columns({name: getattr(point, name) for name in RATES})
    return {"threshold": point.threshold, **{name: getattr(point, name) for name in CELLS}, **rates}


def _csv(audit: PairAudit, query: Mapping[str, str]) -> str:
    path = f"{urls.json_twin(urls.pair(audit.code, audit.against))}/operating_points.csv"
    return urls.with_query(path, {"confirmation": query.get("confirmation")})


def _galleries(context: Context, audit: PairAudit, threshold: float) -> list[Component]:
    """The most confident errors of either kind; the browser hides those that the chosen margin makes right."""
    missed = missed_cases(audit, math.inf).head(SHOWN_ERRORS)
    alarms = alarm_cases(audit, -math.inf).head(SHOWN_ERRORS)
    contrast = Target(audit.code, audit.against)
    ends = html.Span([class_chip(audit.code), "rather than", class_chip(audit.against)], className="ends")
    return [
        panel(
            f"Missed most confidently: {named(audit.code)} with the lowest margins",
            _gallery(context, missed, contrast, "missed", threshold),
            actions=[ends, opacity_slider(OPACITY)],
        ),
        panel(
            f"False alarms most confidently: {named(audit.against)} with the highest margins",
            _gallery(context, alarms, contrast, "alarms", threshold),
            actions=[ends],
        ),
        html.P(
            f"Each heatmap is the Grad-CAM contrast: {audit.code}'s colour speaks for {named(audit.code)}, "
            f"{audit.against}'s for {named(audit.against)}, each scaled to its own largest value.",
            className="caption",
        ),
    ]


def _gallery(context: Context, cases: pd.DataFrame, target: Target, kind: str, threshold: float) -> Component:
    margins = cases["margin"].to_numpy(np.float64)
    wrong = margins < threshold if kind == "missed" else margins >= threshold
    cards = [
        _error_card(context, image_id, target, margin, "error-card" if is_wrong else "error-card hidden", kind)
        for image_id, margin, is_wrong in zip(cases.index.astype(str), margins.tolist(), wrong, strict=True)
    ]
    none = html.P("At this margin there is no such error.", className="quiet no-error", hidden=bool(wrong.any()))
    return html.Div([*cards, none], className="error-gallery")


def _error_card(
    context: Context, image_id: str, target: Target, margin: float, class_name: str, kind: str
) -> Component:
    caption = [html.Span(image_id), html.Span(f"margin {signed(margin)}", className="quiet")]
    content = [picture(context, image_id, target), html.Div(caption, className="card-caption")]
    return html.Div(
        dcc.Link(content, href=urls.case(image_id)),
        className=class_name,
        **{"data-margin": repr(margin), "data-kind": kind},
    )

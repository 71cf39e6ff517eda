"""Metrics: how well does the model tell each class, and how sure are we?"""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, NoUpdate, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Response

from analysis.bootstrap import Estimate
from analysis.curves import class_scores, precision_recall, reliability, roc
from analysis.metrics import ClassMetrics, Metrics, Scores
from app import urls
from app.artefact_table import CSV, artefact_panel, artefact_table
from app.audit_note import audit_answer, cases_note, no_predictions
from app.calibration_panel import SWITCH, TEST, calibration_panel, chosen_cases, shown_calibration
from app.class_names import named
from app.components import (
    class_name,
    download_link,
    graph,
    leaky_split,
    page_header,
    panel,
    statistic,
    whisker,
)
from app.context import Context
from app.csv_answers import csv_answer, estimate_columns
from app.figures import precision_recall_figure, reliability_figure, roc_figure
from app.jsonable import jsonable
from app.numbers import decimal, interval, percent
from app.results import Results
from app.shell import LOCATION
from model.classes import diagnosis

QUESTION = "How well does it tell each class, and how sure are we?"
SCORES = {"precision": "Precision", "recall": "Recall", "f1": "F1", "auc": "AUC"}
HIGHLIGHT = "metrics-highlight"
ALL_CLASSES = "all"
CURVE_HEIGHT, RELIABILITY_HEIGHT = 520, 440


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The page, with the curves of the class `highlight` of the query in front."""
    results = context.results
    if results.problem:
        return html.Div([page_header("Metrics", QUESTION), no_predictions(context)])
    highlighted = query.get("highlight")
    highlighted = highlighted if highlighted in results.classes else None
    metrics = results.metrics
    return html.Div(
        [
            page_header("Metrics", _answer(metrics)),
            *leaky_split(context.bundle.card),
            *cases_note(context),
            html.Div(_tiles(results, metrics), className="tiles"),
            panel(
                "Precision, recall, F1 and AUC of each class, with 95 % intervals",
                html.Div(_class_table(metrics), className="table-box", tabIndex=0),
                html.P(
                    "Dots are values, bars their 95 % intervals from 1,000 resamples of lesions, on axes from 0 to 1. "
                    "AUC is of one class against the rest. The macro average counts every class alike, the weighted "
                    "average every case.",
                    className="caption",
                ),
                actions=[download_link("CSV", f"{urls.json_twin(urls.METRICS)}.csv")],
            ),
            *artefact_panel(results.artefact_figures),
            html.Div([dmc.Text("Curves of", size="sm"), _highlight_select(results, highlighted)], className="controls"),
            html.Div(_curve_panels(results, metrics, highlighted), className="panels three"),
            *([calibration_panel(context, query)] if context.bundle.card.calibrated else []),
        ],
        className="page-stack",
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """Choosing a class or the cases of the calibration changes the address, and with it the page."""

    @app.callback(
        Output(LOCATION, "search", allow_duplicate=True),
        Input(HIGHLIGHT, "value"),
        State(LOCATION, "search"),
        prevent_initial_call=True,
    )
    def highlight(code: str, search: str) -> str | NoUpdate:
        return _changed(search, highlight=None if code == ALL_CLASSES else code)

    @app.callback(
        Output(LOCATION, "search", allow_duplicate=True),
        Input(SWITCH, "value"),
        State(LOCATION, "search"),
        prevent_initial_call=True,
    )
    def show_calibration(cases: str, search: str) -> str | NoUpdate:
        return _changed(search, calibration=TEST if cases == TEST else None)


def register_api(server: FastAPI, context: Context) -> None:
    """The figures of merit as JSON and as CSV."""

    @server.get(urls.json_twin(urls.METRICS))
    def metrics(calibration: str = "") -> Any:
        shown = shown_calibration(context, chosen_cases(context, {"calibration": calibration}))
        return {
            "model": context.bundle.card.name if context.audit is None else None,
            "audit": audit_answer(context.audit),
            **jsonable(context.results.metrics),
            "image_quality": jsonable(context.results.artefact_figures),
            "calibration": jsonable(shown),
        }

    @server.get(f"{urls.json_twin(urls.METRICS)}.csv")
    def metrics_csv() -> Response:
        return csv_answer(class_table(context.results.metrics), "lesionlens_metrics.csv")

    @server.get(CSV)
    def image_quality_csv() -> Response:
        artefacts = context.results.artefact_figures
        if not artefacts:
            raise HTTPException(404, "Nothing is known of the quality of these images.")
        return csv_answer(artefact_table(artefacts), "lesionlens_image_quality.csv")


def _changed(search: str, **change: str | None) -> str | NoUpdate:
    query = urls.parse_query(search)
    kept = {name: query.get(name) for name in ("highlight", "calibration")}
    chosen = urls.search_of(urls.metrics(**{**kept, **change}))
    return no_update if chosen == search else chosen


def class_table(metrics: Metrics) -> pd.DataFrame:
    """One row per class and average: support, and value, low and high end of each score."""
    rows = [(row.code, row.cases, row.lesions, row.scores) for row in metrics.classes]
    rows += [(name, metrics.cases, metrics.lesions, scores) for name, scores in _averages(metrics)]
    return pd.DataFrame(
        {
            "class": name,
            "cases": cases,
            "lesions": lesions,
            **estimate_columns({score: getattr(scores, score) for score in SCORES}),
        }
        for name, cases, lesions, scores in rows
    )


def _averages(metrics: Metrics) -> list[tuple[str, Scores]]:
    return [("Macro average", metrics.macro), ("Weighted average", metrics.weighted)]


def _answer(metrics: Metrics) -> str:
    recalls = {row.code: row.scores.recall.value for row in metrics.classes if row.cases}
    best, worst = max(recalls, key=lambda code: recalls[code]), min(recalls, key=lambda code: recalls[code])
    return (
        f"On {metrics.cases:,} images of {metrics.lesions:,} lesions it calls "
        f"{percent(metrics.balanced_accuracy.value, 0)} of a class rightly on average: {named(best)} most often "
        f"({percent(recalls[best], 0)}), {named(worst)} least ({percent(recalls[worst], 0)})."
    )


def _said(highlighted: str | None) -> str:
    return "the most probable class" if highlighted is None else named(highlighted)


def _commonest(metrics: Metrics) -> str:
    return max(metrics.classes, key=lambda row: row.cases).code


def _tiles(results: Results, metrics: Metrics) -> list[Component]:
    tiles = [
        _tile("Balanced accuracy", metrics.balanced_accuracy, f"chance {metrics.chance_balanced_accuracy:.3f}"),
        _tile("Accuracy", metrics.accuracy, f"always “{_commonest(metrics)}” {metrics.chance_accuracy:.3f}"),
        _tile("Macro AUC", metrics.macro.auc, "chance 0.500"),
    ]
    melanoma = next((row for row in metrics.classes if row.code == "mel"), None)
    if melanoma is not None:
        tiles.append(_tile("Melanoma AUC", melanoma.scores.auc, "chance 0.500"))
        tiles.append(_tile("Melanoma recall", melanoma.scores.recall, f"of {melanoma.cases:,} cases"))
    diagram = results.calibration.after
    return [*tiles, _tile("Calibration error", diagram.error, f"perfect model {diagram.perfect_error:.3f}")]


def _tile(label: str, estimate: Estimate, comparison: str) -> Component:
    return statistic(label, decimal(estimate.value), f"95 % {interval(estimate)}\n{comparison}")


def _class_table(metrics: Metrics) -> Component:
    header = html.Thead(
        html.Tr(
            [
                html.Th("Diagnosis", scope="col"),
                html.Th("Cases (lesions)", scope="col", className="number"),
                *(html.Th(title, scope="col") for title in SCORES.values()),
            ]
        )
    )
    classes = html.Tbody([_class_row(row) for row in metrics.classes])
    averages = html.Tbody([_average_row(metrics, name, scores) for name, scores in _averages(metrics)])
    return html.Table([header, classes, averages], className="table scores")


def _class_row(row: ClassMetrics) -> Component:
    colour = diagnosis(row.code).colour
    return html.Tr(
        [
            html.Th(class_name(row.code), scope="row"),
            html.Td(
                dcc.Link(f"{row.cases:,} ({row.lesions:,})", href=urls.cases(diagnosis=row.code)), className="number"
            ),
            *_score_cells(row.scores, colour),
        ]
    )


def _average_row(metrics: Metrics, name: str, scores: Scores) -> Component:
    support = html.Td(f"{metrics.cases:,} ({metrics.lesions:,})", className="number")
    return html.Tr([html.Th(name, scope="row"), support, *_score_cells(scores, "var(--quiet)")])


def _score_cells(scores: Scores, colour: str) -> list[Component]:
    return [html.Td(whisker(getattr(scores, name), colour)) for name in SCORES]


def _highlight_select(results: Results, highlighted: str | None) -> Component:
    options = [{"value": ALL_CLASSES, "label": "all classes"}]
    options += [{"value": code, "label": f"{diagnosis(code).name} ({code})"} for code in results.classes]
    return dmc.Select(
        id=HIGHLIGHT,
        data=options,
        value=highlighted or ALL_CLASSES,
        allowDeselect=False,
        size="xs",
        w=320,
        **{"aria-label": "Class whose curves stand in front"},
    )


def _curve_panels(results: Results, metrics: Metrics, highlighted: str | None) -> list[Component]:
    scores = {row.code: class_scores(results.table, results.classes, row.code) for row in metrics.classes if row.cases}
    areas = {row.code: row.scores.auc for row in metrics.classes}
    precisions = {row.code: row.average_precision for row in metrics.classes}
    roc_curves = {code: roc(*pair) for code, pair in scores.items()}
    precision_curves = {code: precision_recall(*pair) for code, pair in scores.items()}
    if highlighted is None:
        diagram = results.calibration.after
    else:
        diagram = reliability(*scores[highlighted], results.table["lesion_id"])
    return [
        panel(
            "ROC of each class against the rest, AUC with 95 % interval",
            graph(roc_figure(roc_curves, areas, highlighted), "metrics-roc", "lesionlens_roc", CURVE_HEIGHT),
        ),
        panel(
            "Precision against recall, average precision with 95 % interval",
            graph(
                precision_recall_figure(precision_curves, precisions, highlighted),
                "metrics-precision-recall",
                "lesionlens_precision_recall",
                CURVE_HEIGHT,
            ),
        ),
        panel(
            f"Reliability for {_said(highlighted)}, in {len(diagram.bins)} bins of equally many cases",
            graph(
                reliability_figure(diagram, highlighted),
                "metrics-reliability",
                "lesionlens_reliability",
                RELIABILITY_HEIGHT,
            ),
            html.P(
                f"Expected calibration error {decimal(diagram.error.value)} (95 % {interval(diagram.error)}); a "
                f"perfectly calibrated model would show {decimal(diagram.perfect_error)} on as many cases by chance.",
                className="caption",
            ),
        ),
    ]

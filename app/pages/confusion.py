"""Confusion: what is taken for what?"""

import math
from collections.abc import Mapping
from typing import Any, get_args

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash import Dash, Input, NoUpdate, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Response
from numpy.typing import NDArray

from analysis.confusion import Confusion, Normalisation, largest_confusions, normalise
from app import urls
from app.audit_note import cases_note, no_predictions
from app.class_names import named
from app.components import class_chip, download_link, page_header, panel
from app.context import Context
from app.csv_answers import csv_answer
from app.jsonable import jsonable
from app.numbers import percent
from app.results import Results
from app.shell import LOCATION
from model.classes import diagnosis

QUESTION = "What is taken for what?"
DARK = 0.8  # share of its colour from which a cell's text is white
NORMALISATION = "confusion-normalisation"
TITLES: dict[Normalisation, str] = {
    "counts": "Cases by diagnosis (rows) and called class (columns)",
    "row": "Share of each diagnosis (rows) that is called each class (columns)",
    "column": "Share of each called class (columns) that has each diagnosis (rows)",
}
LABELS: dict[Normalisation, str] = {"counts": "Counts", "row": "% of diagnosis", "column": "% of called"}


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The page, with the matrix as counts or normalised as `normalise` of the query says."""
    results = context.results
    if results.problem:
        return html.Div([page_header("Confusion", QUESTION), no_predictions(context)])
    chosen = read_normalisation(query.get("normalise")) or "counts"
    csv = urls.with_query(f"{urls.json_twin(urls.CONFUSION)}.csv", {"normalise": query.get("normalise")})
    largest = largest_confusions(results.confusion, results.classes, 8)
    return html.Div(
        [
            page_header("Confusion", _answer(largest)),
            *cases_note(context),
            html.Div(
                [
                    panel(
                        TITLES[chosen],
                        html.Div(_matrix(results, chosen), className="table-box", tabIndex=0),
                        html.P(
                            "Each cell leads to its cases. The stronger a cell's shade, the larger its share of the "
                            f"{'called class' if chosen == 'column' else 'diagnosis'}: teal is right, orange wrong.",
                            className="caption",
                        ),
                        actions=[_normalisation_control(chosen), download_link("CSV", csv)],
                    ),
                    panel("The largest confusions, by number of cases", _largest(largest)),
                ],
                className="panels matrix-and-list",
            ),
        ],
        className="page-stack",
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """Choosing a normalisation changes the address, and with it the page."""

    @app.callback(
        Output(LOCATION, "search", allow_duplicate=True),
        Input(NORMALISATION, "value"),
        State(LOCATION, "search"),
        prevent_initial_call=True,
    )
    def choose(normalisation: str, search: str) -> str | NoUpdate:
        chosen = urls.search_of(urls.confusion(normalise=None if normalisation == "counts" else normalisation))
        return no_update if chosen == search else chosen


def register_api(server: FastAPI, context: Context) -> None:
    """The matrix as JSON and as CSV."""

    def matrix(normalisation: str | None) -> NDArray[np.float64]:
        chosen = read_normalisation(normalisation)
        if chosen is None:
            raise HTTPException(422, f"normalise is one of {', '.join(TITLES)}.")
        return normalise(context.results.confusion, chosen)

    @server.get(urls.json_twin(urls.CONFUSION))
    def confusion(normalise: str | None = None) -> Any:
        return {"classes": context.results.classes, "matrix": jsonable(matrix(normalise)), "rows": "diagnosis"}

    @server.get(f"{urls.json_twin(urls.CONFUSION)}.csv")
    def confusion_csv(normalise: str | None = None) -> Response:
        classes = list(context.results.classes)
        table = pd.DataFrame(matrix(normalise), columns=classes)
        table.insert(0, "diagnosis", classes)
        return csv_answer(table, "lesionlens_confusion.csv")


def read_normalisation(text: str | None) -> Normalisation | None:
    """The normalisation of a query, counts where it names none, or None where it is unknown."""
    return next((known for known in get_args(Normalisation) if known == (text or "counts")), None)


def _answer(largest: list[Confusion]) -> str:
    if not largest:
        return "No case is called anything but its diagnosis."
    parts = [
        f"{named(one.true)} for {named(one.predicted)} ({one.count:,} cases, {percent(one.share, 0)} of {one.true})"
        for one in largest[:3]
    ]
    return f"It takes most often {'; '.join(parts)}."


def _normalisation_control(chosen: Normalisation) -> Component:
    return dmc.SegmentedControl(
        id=NORMALISATION,
        value=chosen,
        data=[{"value": value, "label": label} for value, label in LABELS.items()],
        size="xs",
        **{"aria-label": "Counts or shares"},
    )


def _matrix(results: Results, chosen: Normalisation) -> Component:
    counts = results.confusion
    shown = normalise(counts, chosen)
    shades = normalise(counts, "column" if chosen == "column" else "row")
    columns = [html.Th(class_chip(code), scope="col") for code in results.classes]
    called = html.Tr([html.Th(), html.Th("called", colSpan=len(columns) + 1, scope="colgroup")], className="over")
    header = html.Tr([html.Th("diagnosis", scope="col"), *columns, html.Th("all", scope="col", className="number")])
    body = [
        html.Tr(
            [
                html.Th(class_chip(true), scope="row"),
                *(
                    html.Td(_cell(true, predicted, counts[i, j], _text(shown[i, j], chosen), shades[i, j]))
                    for j, predicted in enumerate(results.classes)
                ),
                html.Td(_total(int(counts[i].sum()), diagnosis=true), className="number"),
            ]
        )
        for i, true in enumerate(results.classes)
    ]
    totals = [
        html.Td(_total(int(counts[:, j].sum()), predicted=code), className="number")
        for j, code in enumerate(results.classes)
    ]
    footer = html.Tr([html.Th("all", scope="row"), *totals, html.Td(_total(int(counts.sum())), className="number")])
    return html.Table([html.Thead([called, header]), html.Tbody(body), html.Tfoot(footer)], className="table matrix")


def _text(value: float, chosen: Normalisation) -> str:
    return f"{value:,.0f}" if chosen == "counts" else percent(value)


def _cell(true: str, predicted: str, count: int, text: str, shade: float) -> Component:
    kind = ("right" if true == predicted else "wrong") if count else "nothing"
    return dcc.Link(
        text,
        href=urls.cases(diagnosis=true, predicted=predicted),
        className=f"cell {kind}{' strong' if shade > DARK else ''}",
        style={"--shade": f"{0 if math.isnan(shade) else 100 * shade:.0f}%"},
        title=f"{count:,} cases of {diagnosis(true).name} called {diagnosis(predicted).name}",
    )


def _total(count: int, **filters: str) -> Component:
    return dcc.Link(f"{count:,}", href=urls.cases(**filters), className="quiet-link")


def _largest(confusions: list[Confusion]) -> Component:
    return html.Ol(
        [
            html.Li(
                [
                    html.Div(
                        [class_chip(one.true), html.Span("called", className="quiet"), class_chip(one.predicted)],
                        className="confusion-name",
                    ),
                    dcc.Link(f"{one.count:,} cases", href=urls.cases(diagnosis=one.true, predicted=one.predicted)),
                    html.Span(f"{percent(one.share, 0)} of {one.true}", className="quiet"),
                    dcc.Link("audit the pair", href=urls.pair(one.true, one.predicted)),
                ]
            )
            for one in confusions
        ],
        className="confusion-list",
    )

"""Cases: which images are behind a number?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Request, Response

from analysis.artefacts import shows
from analysis.predictions import CASE_COLUMNS
from analysis.selection import Selection, select
from app import urls
from app.artefact_words import NAMES, doubts
from app.audit_note import cases_note, no_predictions
from app.case_images import register_images
from app.case_query import ARTEFACTS, CORRECT, QueryError, read_selection, write_selection
from app.class_names import named
from app.components import download_link, failed, link_button, page_header
from app.confirmations import CONFIRMATIONS
from app.context import Context
from app.csv_answers import csv_answer
from app.jsonable import jsonable
from app.numbers import signed
from app.results import Results
from model.classes import diagnosis

QUESTION = "Which images are behind a number?"
GRID = "cases-grid"
MARGIN = "cases-margin"
QUERY = "cases-query"
CONTROLS = (
    *("diagnosis", "predicted", "correct", "confirmation", "sex", "site", "confidence", "age", "search"),
    *ARTEFACTS,
)
LABELS = {
    "diagnosis": "Diagnosis",
    "predicted": "Called",
    "confirmation": "Confirmation",
    "sex": "Sex",
    "site": "Site",
    "artefacts": "Image shows",
    "no_artefacts": "Image does not show",
}
ALL = "all"
CONFIDENCES = (0.0, 1.0)
AGES = (0.0, 100.0)


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The page with the cases that the query selects, in the order that its `sort` says."""
    results = context.results
    if results.problem:
        return html.Div([page_header("Cases", QUESTION), no_predictions(context)])
    try:
        selection = read_selection(query, results.classes, results.artefacts)
    except QueryError as error:
        back = link_button("Show all cases", urls.cases())
        return html.Div([page_header("Cases", QUESTION), failed("This selection means nothing", str(error), back)])
    view = _view(context, selection)
    count = html.Span(view.count, id="cases-count", role="status")
    clear = html.Div(link_button("Clear filters", urls.cases(), "x"), id="cases-clear", hidden=view.everything)
    images = None if context.data_path else "Images are shown after `lesionlens serve --data PATH`."
    csv = html.Div(download_link("CSV", view.csv), id="cases-csv")
    caution = doubts(results.artefacts)
    return html.Div(
        [
            page_header("Cases", html.Span(view.sentence, id="cases-sentence")),
            *cases_note(context),
            _controls(results, selection),
            html.Div(
                [count, clear, html.Span(images, className="quiet"), html.Div(className="spacer"), csv],
                className="controls",
            ),
            *([html.P(caution, className="caption")] if caution else []),
            _grid(results, view.rows, query.get("sort")),
            dcc.Store(id=QUERY),
        ],
        className="page-stack",
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """Filters change the rows in place; they and the order note themselves in the address."""

    @app.callback(
        Output(GRID, "rowData"),
        Output("cases-count", "children"),
        Output("cases-sentence", "children"),
        Output("cases-csv", "children"),
        Output("cases-clear", "hidden"),
        Output(QUERY, "data"),
        [Input(f"cases-{name}", "value") for name in CONTROLS],
        State(MARGIN, "data"),
        prevent_initial_call=True,
    )
    def filter_cases(*values: Any) -> tuple[Any, ...]:
        *controls, margin = values
        query = {**margin, **_set(_read_controls(controls))}
        selection = read_selection(query, context.results.classes, context.results.artefacts)
        view = _view(context, selection)
        csv = download_link("CSV", view.csv)
        return view.rows, view.count, view.sentence, csv, view.everything, write_selection(selection)

    app.clientside_callback(ClientsideFunction("cases", "noteQuery"), Input(QUERY, "data"), prevent_initial_call=True)
    app.clientside_callback(
        ClientsideFunction("cases", "noteSort"), Input(GRID, "columnState"), prevent_initial_call=True
    )


def register_api(server: FastAPI, context: Context) -> None:
    """The selected cases as JSON and as CSV, and the pictures of each."""

    def selected(query: Mapping[str, str]) -> pd.DataFrame:
        results = context.results
        try:
            return select(results.table, read_selection(query, results.classes, results.artefacts))
        except QueryError as error:
            raise HTTPException(422, str(error)) from None

    @server.get(urls.json_twin(urls.CASES))
    def cases(request: Request) -> Any:
        return {"cases": jsonable(selected(request.query_params))}

    @server.get(f"{urls.json_twin(urls.CASES)}.csv")
    def cases_csv(request: Request) -> Response:
        return csv_answer(selected(request.query_params), "lesionlens_cases.csv")

    register_images(server, context)


@dataclass(frozen=True)
class View:
    """What the page shows of a selection."""

    rows: list[dict[str, Any]]
    count: list[Any]
    sentence: str
    csv: str
    everything: bool


def _view(context: Context, selection: Selection) -> View:
    table = context.results.table
    cases = select(table, selection)
    query = write_selection(selection)
    return View(
        rows=_rows(context, cases, query),
        count=[html.Strong(f"{len(cases):,}"), f" of {len(table):,} cases"],
        sentence=f"{QUESTION} {_description(selection, len(cases))}".strip(),
        csv=urls.with_query(f"{urls.json_twin(urls.CASES)}.csv", query),
        everything=selection == Selection(),
    )


def _set(query: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value is not None}


def _description(selection: Selection, count: int) -> str:
    verdict = {True: "called rightly", False: "called wrongly", None: ""}[selection.correct]
    parts = [
        f"diagnosis {_either(selection.diagnosis)}" if selection.diagnosis else "",
        f"called {_either(selection.predicted)}" if selection.predicted else "",
        verdict,
        "confirmed by histology" if selection.confirmation == ("histo",) else "",
        _margin_text(selection),
        *(f"with {NAMES[name]}" for name in selection.artefacts),
        *(f"without {NAMES[name]}" for name in selection.no_artefacts),
    ]
    described = ", ".join(filter(None, parts))
    return f"Here {count:,}: {described}." if described else ""


def _either(codes: Sequence[str]) -> str:
    return " or ".join(named(code) if len(codes) < 3 else code for code in codes)


def _margin_text(selection: Selection) -> str:
    margin = selection.margin
    if margin is None:
        return ""
    low = f"from {signed(margin.low)}" if margin.low > float("-inf") else ""
    high = f"below {signed(margin.high)}" if margin.high < float("inf") else ""
    return f"margin {margin.code} − {margin.against} {' and '.join(filter(None, (low, high)))}"


def _controls(results: Results, selection: Selection) -> Component:
    margin = {name: value for name, value in _set(write_selection(selection)).items() if name.startswith("margin")}
    verdicts = [(ALL, "All"), ("yes", "Right"), ("no", "Wrong")]
    return html.Div(
        [
            *(_category(results, name, getattr(selection, name)) for name in ("diagnosis", "predicted")),
            html.Div(
                [
                    html.Div("Called rightly", className="filter-label"),
                    dmc.SegmentedControl(
                        id="cases-correct",
                        value=write_selection(selection)["correct"] or ALL,
                        data=[{"value": value, "label": label} for value, label in verdicts],
                        size="xs",
                        fullWidth=True,
                        **{"aria-label": "Called rightly"},
                    ),
                ]
            ),
            *(_category(results, name, getattr(selection, name)) for name in ("confirmation", "sex", "site")),
            _range("confidence", "Confidence", selection.confidence or CONFIDENCES, CONFIDENCES, 0.05),
            _range("age", "Age in years", selection.age or AGES, AGES, 5),
            dmc.TextInput(
                id="cases-search",
                label="Image or lesion",
                placeholder="ISIC_… or HAM_…",
                value=selection.search,
                debounce=400,
                size="xs",
            ),
            *(_artefacts(results, name, getattr(selection, name)) for name in ARTEFACTS),
            dcc.Store(id=MARGIN, data=margin),
        ],
        className="filters",
    )


def _category(results: Results, name: str, chosen: Sequence[str]) -> Component:
    known = list(results.table[name].dropna().unique())
    values = results.classes if name in {"diagnosis", "predicted"} else sorted(known)
    return _choice_of(name, {value: CONFIRMATIONS.get(value, value) for value in values}, chosen)


def _artefacts(results: Results, name: str, chosen: Sequence[str]) -> Component:
    """The choice of artefacts, out of sight where none are known of the cases: its value is read all the same."""
    choice = _choice_of(name, {artefact: NAMES[artefact] for artefact in results.artefacts}, chosen)
    return html.Div(choice, hidden=not results.artefacts)


def _choice_of(name: str, labels: Mapping[str, str], chosen: Sequence[str]) -> Component:
    return dmc.MultiSelect(
        id=f"cases-{name}",
        label=LABELS[name],
        data=[{"value": value, "label": label} for value, label in labels.items()],
        value=list(chosen),
        placeholder=None if chosen else "any",
        searchable=True,
        clearable=True,
        size="xs",
    )


def _range(name: str, label: str, value: Sequence[float], limits: Sequence[float], step: float) -> Component:
    return html.Div(
        [
            html.Div(label, className="filter-label"),
            dmc.RangeSlider(
                id=f"cases-{name}",
                value=list(value),
                min=limits[0],
                max=limits[1],
                step=step,
                minRange=0,
                size="sm",
                updatemode="mouseup",
                thumbFromLabel=f"{label} from",
                thumbToLabel=f"{label} to",
                marks=[{"value": limit, "label": f"{limit:g}"} for limit in limits],
            ),
        ],
        className="range-control",
    )


def _read_controls(values: Sequence[Any]) -> dict[str, str | None]:
    """The query that the values of CONTROLS mean."""
    chosen = dict(zip(CONTROLS, values, strict=True))
    return write_selection(
        Selection(
            diagnosis=tuple(chosen["diagnosis"] or ()),
            predicted=tuple(chosen["predicted"] or ()),
            correct=CORRECT.get(chosen["correct"]),
            confirmation=tuple(chosen["confirmation"] or ()),
            sex=tuple(chosen["sex"] or ()),
            site=tuple(chosen["site"] or ()),
            confidence=_narrowed(chosen["confidence"], CONFIDENCES),
            age=_narrowed(chosen["age"], AGES),
            search=(chosen["search"] or "").strip(),
            artefacts=tuple(chosen["artefacts"] or ()),
            no_artefacts=tuple(chosen["no_artefacts"] or ()),
        )
    )


def _narrowed(value: Sequence[float], limits: tuple[float, float]) -> tuple[float, float] | None:
    low, high = value
    return None if (low, high) == limits else (low, high)


def _grid(results: Results, rows: list[dict[str, Any]], sort: str | None) -> Component:
    return dag.AgGrid(
        id=GRID,
        rowData=rows,
        columnDefs=_columns(results, sort),
        defaultColDef={"sortable": True, "filter": False, "resizable": True, "suppressHeaderMenuButton": True},
        getRowId="params.data.image_id",
        eventListeners={"rowClicked": ["openCase(params)"]},
        className="case-grid",
        dashGridOptions={
            "theme": {"function": "lesionlensGridTheme(themeQuartz)"},
            "rowHeight": 64,
            "headerHeight": 36,
            "animateRows": False,
            "localeText": {"noRowsToShow": "No case is like this. Loosen or clear a filter to see cases."},
        },
        columnSize="responsiveSizeToFit",
        style={"height": "calc(100vh - 330px)", "minHeight": 460},
    )


def _rows(context: Context, cases: pd.DataFrame, chosen: Mapping[str, str | None]) -> list[dict[str, Any]]:
    present = context.image_paths
    rows: list[dict[str, Any]] = jsonable(cases[[*CASE_COLUMNS, "correct", "confidence"]])
    shown = {NAMES[name]: shows(cases, name) for name in context.results.artefacts}
    for index, row in enumerate(rows):
        image_id = row["image_id"]
        row["href"] = urls.case(image_id, **chosen)
        row["confirmation"] = CONFIRMATIONS.get(row["confirmation"], "unknown")
        row["artefacts"] = ", ".join(name for name, there in shown.items() if there[index])
        row["thumbnail"] = urls.case_thumbnail(image_id) if image_id in present else None
    return rows


def _columns(results: Results, sort: str | None) -> list[dict[str, Any]]:
    column, _, direction = (sort or "").partition(":")
    classes = {code: {"colour": diagnosis(code).colour, "name": diagnosis(code).name} for code in results.classes}
    chip = {"cellRenderer": "ClassChip", "cellRendererParams": {"classes": classes}}
    columns: list[dict[str, Any]] = [
        {"field": "thumbnail", "headerName": "", "cellRenderer": "CaseThumbnail", "sortable": False, "width": 92},
        {"field": "diagnosis", "headerName": "Diagnosis", **chip, "width": 112},
        {"field": "predicted", "headerName": "Called", **chip, "width": 104},
        {"field": "correct", "headerName": "Right?", "cellRenderer": "Verdict", "width": 98},
        {"field": "confidence", "headerName": "Confidence", "cellRenderer": "Confidence", "width": 140},
        {"field": "image_id", "headerName": "Image", "cellRenderer": "CaseLink", "width": 136},
        {"field": "age", "headerName": "Age", "width": 80},
        {"field": "sex", "headerName": "Sex", "width": 96},
        {"field": "site", "headerName": "Site", "width": 144},
        {"field": "confirmation", "headerName": "Confirmed by", "width": 150},
        {"field": "lesion_id", "headerName": "Lesion", "width": 130},
    ]
    if results.artefacts:
        columns.insert(6, {"field": "artefacts", "headerName": "Image shows", "width": 170})
    for one in columns:
        one["minWidth"] = one["width"]
        if one["field"] == column and direction in {"asc", "desc"}:
            one["sort"] = direction
    return columns

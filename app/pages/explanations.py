"""Explanations: which heatmap deserves trust?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import Dash, html
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Response

from analysis.audit_manifest import AuditError
from analysis.bootstrap import Estimate
from analysis.explanations import COMMAND, Explanations, MethodFigures
from analysis.sanity import MethodSanity
from app import explanation_tables as tables
from app import urls
from app.agreement_panel import agreement_panel
from app.components import download_link, empty, failed, graph, page_header, panel, table_panel, whisker
from app.context import Context
from app.csv_answers import csv_answer
from app.explanation_figure import faithfulness_figure, height
from app.html_text import table_box
from app.jsonable import jsonable
from app.numbers import decimal, interval, signed_interval
from explain.methods import METHODS

QUESTION = "Which heatmap deserves trust?"
COLUMNS = (
    ("Method", ""),
    ("Faithfulness", "insertion less deletion area, higher is better"),
    ("Against the best control", "mean difference in faithfulness"),
    ("In the lesion", "share of the map's positive part"),
    ("Sanity", "correlation with the map of a randomised network"),
    ("Stability", "least correlation with itself"),
    ("Milliseconds", "a map"),
)
MORE = {
    "insertion_area": ("Insertion area", "higher is better"),
    "deletion_area": ("Deletion area", "lower is better"),
    "faithfulness_exchanged": ("Baselines exchanged", "faithfulness with mean colour and blur exchanged"),
    "faithfulness_mean_colour": ("On the mean colour", "faithfulness with both on it, behind which no method hides"),
    "faithfulness_contrast": ("Of the contrast", "faithfulness on the logit less the next class's"),
    "pointing": ("Pointing game", "strongest place in the lesion"),
    "background_to_lesion": ("Background to lesion", "mean positive value of a place, median of the cases"),
    "border_share": ("Outer border", "share of the map's positive part"),
}
METHOD_COLOUR, CONTROL_COLOUR = "var(--accent)", "var(--quiet)"


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The page; it shows the committed figures, whatever the model that is served."""
    try:
        found = context.explanations
    except AuditError as error:
        return failed("The explanations' figures cannot be read", str(error))
    return page(found)


def register_callbacks(app: Dash, context: Context) -> None:
    """The page has no controls."""


def register_api(server: FastAPI, context: Context) -> None:
    """The figures as JSON and as CSV."""

    def found() -> Explanations:
        if context.explanations is None:
            raise HTTPException(404, f"No explanations have been measured: {COMMAND} does it.")
        return context.explanations

    @server.get(urls.json_twin(urls.EXPLANATIONS))
    def explanations() -> Any:
        return {**jsonable(found()), "statements": tables.statements(found())}

    @server.get(f"{urls.json_twin(urls.EXPLANATIONS)}/explanations.csv")
    def explanations_csv() -> Response:
        return csv_answer(tables.estimates_table(found()), "lesionlens_explanations.csv")


def page(found: Explanations | None) -> Component:
    """The page of what was found, or of how to find it."""
    if found is None:
        return html.Div([page_header("Explanations", QUESTION), _unmeasured()], className="page-stack")
    return html.Div(
        [
            page_header("Explanations", _answer(found)),
            panel("Where a control beats a method, and where it does not", _statements(found)),
            panel(
                "Which explanation to trust: every method, and the controls that know nothing of the network",
                _table(found, COLUMNS, _cells),
                html.P(f"{tables.size(found)} {tables.caption(found)}", className="caption"),
                actions=[
                    download_link("CSV", f"{urls.json_twin(urls.explanations())}/explanations.csv"),
                ],
            ),
            panel(
                "What these figures are made of, and what else was measured",
                _table(found, (("Method", ""), *MORE.values()), _more_cells),
            ),
            *_stages_panel(found),
            *agreement_panel(found),
            panel(
                "Faithfulness of every method and control, with 95 % intervals",
                graph(
                    faithfulness_figure(found), "explanations-faithfulness", "lesionlens_faithfulness", height(found)
                ),
                html.P(
                    "Dotted: the best control. A method to its left explains less than a map that knows no network.",
                    className="caption",
                ),
            ),
        ],
        className="page-stack",
    )


def _unmeasured() -> Component:
    text = html.Div(
        [
            "Every method and control is to be run and measured on a sample of the test cases. This command does it, "
            "in some hours, and goes on where it stopped:",
            html.Pre(COMMAND, className="commands", tabIndex=0),
        ]
    )
    return empty("No explanations have been measured yet", text)


def _answer(found: Explanations) -> str:
    compared = [(one.method, one.faithfulness_against) for one in found.methods]
    known = [(method, against) for method, against in compared if against is not None]
    better = sum(against.better for _, against in known)
    beaten = sum(against.beaten for _, against in known)
    return (
        f"Of {len(known)} methods {better} find what moves the network better than the best control, and {beaten} do "
        f"so worse than one that never looks at the network."
    )


def _statements(found: Explanations) -> Component:
    return html.Ul([html.Li(statement) for statement in tables.statements(found)], className="statements")


def _table(
    found: Explanations, columns: Sequence[tuple[str, str]], cells: Callable[[MethodFigures], list[Component | str]]
) -> Component:
    heads = [html.Th([title, html.Div(detail, className="quiet")], scope="col") for title, detail in columns]
    bodies = [
        html.Tbody([_row(one, cells(one)) for one in found.methods if one.control == control])
        for control in (False, True)
    ]
    table = html.Table([html.Thead(html.Tr(heads)), *bodies], className="table scores explanations")
    return table_box(table)


def _row(one: MethodFigures, cells: list[Component | str]) -> Component:
    method = METHODS[one.method]
    kind = [html.Div("control", className="quiet")] if one.control else []
    return html.Tr([html.Th([method.name, *kind], scope="row", title=method.sentence), *map(html.Td, cells)])


def _cells(one: MethodFigures) -> list[Component | str]:
    return [
        _number(one.faithfulness, 2),
        _against(one),
        whisker(one.inside_mask, CONTROL_COLOUR if one.control else METHOD_COLOUR),
        _sanity(one),
        _number(one.stability, 2),
        _number(one.milliseconds, tables.milliseconds_digits(one)),
    ]


def _stages_panel(found: Explanations) -> list[Component]:
    """How maps change while the network is randomised, nothing where that was not measured."""
    measured = [(METHODS[one.method].name, one.sanity) for one in found.methods if one.sanity is not None]
    if not measured:
        return []
    return [
        table_panel(
            "Sanity, layer by layer: what is left of a map while the network forgets",
            ["Method", *measured[0][1].stages],
            [(name, _stage_cells(sanity)) for name, sanity in measured],
            "Rank correlation with the trained network's map once all layers are randomised from the logits down to "
            "those named, with 95 % intervals; below it, that of the absolute values (Adebayo et al. 2018). Layers go "
            "by the size of what they give out.",
            "explanations",
        )
    ]


def _stage_cells(sanity: MethodSanity) -> list[Component]:
    return [
        html.Td(
            [
                _number(signed, 2),
                html.Div(f"absolute {decimal(absolute.value, 2)}".replace("-", "−"), className="quiet"),
            ]
        )
        for signed, absolute in zip(sanity.signed, sanity.absolute, strict=True)
    ]


def _more_cells(one: MethodFigures) -> list[Component | str]:
    return [_number(getattr(one, name), 2) for name in MORE]


def _number(estimate: Estimate, digits: int) -> Component:
    value = f"{estimate.value:,.{digits}f}".replace("-", "−")
    return html.Div([html.Strong(value), html.Span(interval(estimate, digits), className="interval-text")])


def _against(one: MethodFigures) -> Component | str:
    against = one.faithfulness_against
    if against is None:
        return ""
    kind = "wrong" if against.beaten else "right" if against.better else "open"
    difference = html.Div(signed_interval(against.difference), className="interval-text")
    return html.Div([html.Span(tables.verdict(against), className=f"verdict {kind}"), difference])


def _sanity(one: MethodFigures) -> Component | str:
    if one.control:
        return html.Span("does not know the network", className="quiet")
    if one.sanity is None:
        return html.Span("not measured", className="quiet")
    kind = {True: "right", False: "wrong", None: "open"}[one.sanity.passes]
    return html.Span(tables.sanity(one), className=f"verdict {kind}")

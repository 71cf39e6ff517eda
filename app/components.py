"""The parts that every page is made of: header, statistic, class chip, figure, and the states of having nothing."""

import math
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from analysis.bootstrap import Estimate
from app.html_text import table_box
from app.numbers import decimal, interval
from app.theme import plotly_template
from model.bundle import Card
from model.classes import diagnosis
from model.splits import LEAKY

NOTICE = "Teaching and research tool, not for diagnosis"


def icon(name: str, size: int = 20) -> Component:
    """The icon assets/icons/`name`.svg in the colour of the text around it, hidden from screen readers."""
    return html.Span(
        className="icon",
        style={"--icon": f"url(/assets/icons/{name}.svg)", "width": size, "height": size},
        **{"aria-hidden": "true"},
    )


def page_header(title: str, sentence: str | Component, *actions: Component) -> Component:
    """A page's title, the one sentence that asks or answers its question, and its few actions at the right."""
    return html.Header(
        [
            html.Div([dmc.Title(title, order=1), dmc.Text(sentence, className="page-sentence")]),
            dmc.Group(list(actions), gap="xs", className="page-actions"),
        ],
        className="page-header",
    )


def panel(title: str, *children: Any, actions: list[Component] | None = None, **properties: Any) -> Component:
    """A titled surface; the title states what its content shows."""
    heading = html.Div([dmc.Title(title, order=2), *(actions or [])], className="panel-heading")
    return html.Section([heading, *children], className="panel", **properties)


def statistic(label: str, value: str, detail: str = "") -> Component:
    """A figure of merit as a tile: what it is, its value with unit, and its interval or comparison."""
    return html.Div(
        [
            html.Div(label, className="statistic-label"),
            html.Div(value, className="statistic-value"),
            html.Div(detail, className="statistic-detail"),
        ],
        className="statistic",
    )


def class_chip(code: str, *, full_name: bool = False) -> Component:
    """A diagnosis as its colour and code, or its full name."""
    known = diagnosis(code)
    return html.Span(
        [
            html.Span(className="class-dot", style={"background": known.colour}),
            known.name if full_name else known.code,
        ],
        className="class-chip",
        title=known.name,
    )


def class_name(code: str) -> Component:
    """A class as its chip and, where there is room, its full name."""
    return html.Span([class_chip(code), html.Span(diagnosis(code).name, className="class-name")])


def whisker(estimate: Estimate, colour: str) -> Component:
    """A value with its interval as text, and both drawn on an axis from 0 to 1."""
    text = [html.Strong(decimal(estimate.value)), html.Span(interval(estimate), className="interval-text")]
    if math.isnan(estimate.low):
        return html.Div(text, className="score")
    bar = {
        "left": f"{100 * estimate.low:.1f}%",
        "width": f"{100 * (estimate.high - estimate.low):.1f}%",
        "background": colour,
    }
    axis = html.Div(
        [
            html.Div(className="whisker-bar", style=bar),
            html.Div(className="whisker-dot", style={"left": f"{100 * estimate.value:.1f}%", "background": colour}),
        ],
        className="whisker",
        **{"aria-hidden": "true"},
    )
    return html.Div([html.Div(text), axis], className="score")


def leaky_split(card: Card) -> list[Component]:
    """What the figures of a model are worth whose test part leaks into training; nothing for an honest split."""
    protocol = card.split.get("protocol")
    if protocol not in LEAKY:
        return []
    return [html.Span(f"Leaky split ({protocol}): its figures are not performance", className="notice", role="note")]


def empty(title: str, text: str | Component, action: Component | None = None) -> Component:
    """Nothing to show: says so, and how to fill it."""
    return _state("photo-off", title, text, action, "state-empty")


def failed(title: str, text: str | Component, action: Component | None = None) -> Component:
    """Something went wrong: says what, and what to do."""
    return _state("alert-triangle", title, text, action, "state-failed")


def _state(name: str, title: str, text: str | Component, action: Component | None, kind: str) -> Component:
    content = [icon(name, 28), html.Div(title, className="state-title"), html.Div(text, className="state-text")]
    role = "alert" if kind == "state-failed" else "status"
    return html.Div([*content, action], className=f"state {kind}", role=role)


def download_link(label: str, href: str) -> Component:
    """A link to a file that the server makes, such as a table as CSV, that looks like a button."""
    return html.A([icon("download", 16), label], href=href, download="", className="button-link")


def link_button(label: str, href: str, icon_name: str | None = None) -> Component:
    """A link within the dashboard that looks like a button."""
    return dcc.Link([icon_name and icon(icon_name, 16), label], href=href, className="button-link")


def graph(figure: Any, identifier: Any, filename: str, height: int = 380) -> Component:
    """A Plotly figure in the house template, to be downloaded as it stands through its own button."""
    figure.update_layout(template=plotly_template(), height=height)
    drawing = dcc.Graph(
        id=identifier,
        figure=figure,
        responsive=True,
        style={"height": height},
        config={
            "displaylogo": False,
            "modeBarButtonsToRemove": ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
            "toImageButtonOptions": {"format": "svg", "filename": filename},
        },
    )
    return html.Div(drawing, style={"minHeight": height})  # holds the place while Plotly loads


def table_panel(
    title: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Component]]], caption: str, kind: str
) -> Component:
    """A panel with a table, each row a name and its cells, and the caption below; `kind` is a class of the table."""
    header = html.Thead(html.Tr([html.Th(head, scope="col") for head in heads]))
    body = html.Tbody([html.Tr([html.Th(name, scope="row"), *cells]) for name, cells in rows])
    table = html.Table([header, body], className=f"table scores {kind}")
    return panel(title, table_box(table), html.P(caption, className="caption"))

"""Card: what is this model for, what was it made from, and for whom does it fail?"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from dash import Dash, html
from dash.development.base_component import Component
from fastapi import FastAPI, Response

from analysis.bootstrap import Estimate
from analysis.groups import GroupFigures
from analysis.headline import MELANOMA
from app import urls
from app.audit_note import model_note
from app.card_sections import GROUP_COLUMNS, KIND_NAMES, Section, failures, group_name, markdown, sections
from app.components import download_link, leaky_split, page_header, panel, whisker
from app.context import Context
from app.html_text import table_box
from app.jsonable import jsonable
from app.model_card import ModelCard
from model.classes import diagnosis

QUESTION = "What is this model for, what was it made from, and for whom does it fail?"
MELANOMA_COLOUR = diagnosis(MELANOMA).colour


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The card of the model that is served; the page has no state."""
    model = context.model_card
    download = download_link("Markdown", f"{urls.json_twin(urls.CARD)}.md")
    return html.Div(
        [
            page_header("Card", _answer(model), download),
            *leaky_split(model.card),
            *model_note(context),
            html.Div([_panel(section, model) for section in sections(model)], className="panels card-sections"),
        ],
        className="page-stack",
    )


def register_callbacks(app: Dash, context: Context) -> None:
    """The page has no controls."""


def register_api(server: FastAPI, context: Context) -> None:
    """The card as JSON, and as Markdown to download."""

    @server.get(urls.json_twin(urls.CARD))
    def card() -> Any:
        return jsonable(context.model_card)

    @server.get(f"{urls.json_twin(urls.CARD)}.md")
    def card_markdown() -> Response:
        disposition = {"Content-Disposition": 'attachment; filename="lesionlens_card.md"'}
        return Response(markdown(context.model_card) + "\n", media_type="text/markdown", headers=disposition)


def _answer(model: ModelCard) -> str:
    return QUESTION if model.performance is None else failures(model.performance)[0]


def _panel(section: Section, model: ModelCard) -> Component:
    content: list[Component] = [html.P(text, className="card-text") for text in section.paragraphs]
    if section.command is not None:
        content.append(_command(section.command))
    if section.columns == GROUP_COLUMNS and model.performance is not None:
        content.append(table_box(_group_table(model.performance.groups)))
    elif section.rows:
        content.append(table_box(_table(section)))
    attributes: dict[str, Any] = {"data-wide": "yes"} if len(section.columns) > 3 else {}
    return panel(section.title, *content, **attributes)


def _command(command: str) -> Component:
    """A command that is broken between its options only."""
    first, *options = command.split(" --")
    words = [first, *(f"--{option}" for option in options)]
    return html.Pre([part for word in words for part in (html.Span(word), " ")][:-1], className="command", tabIndex=0)


def _table(section: Section) -> Component:
    return html.Table(
        [
            _header(section.columns),
            html.Tbody(
                [
                    html.Tr([html.Th(first, scope="row"), *(html.Td(cell, className="number") for cell in rest)])
                    for first, *rest in section.rows
                ]
            ),
        ],
        className="table",
    )


def _group_table(groups: Sequence[GroupFigures]) -> Component:
    bodies = [
        html.Tbody([_kind_row(kind), *(_group_row(group) for group in members)])
        for kind, members in groupby(groups, key=lambda group: group.kind)
    ]
    return html.Table([_header(GROUP_COLUMNS), *bodies], className="table scores groups")


def _kind_row(kind: str) -> Component:
    return html.Tr(html.Th(KIND_NAMES[kind], colSpan=len(GROUP_COLUMNS), scope="rowgroup", className="kind"))


def _group_row(group: GroupFigures) -> Component:
    return html.Tr(
        [
            html.Th(group_name(group), scope="row"),
            html.Td(f"{group.cases:,} ({group.lesions:,})", className="number"),
            html.Td(group.diagnoses, className="number"),
            _score(group.balanced_accuracy, "var(--accent)", few=group.few),
            html.Td(f"{group.melanomas:,}{'*' if group.few_melanomas and group.melanomas else ''}", className="number"),
            _score(group.melanoma_recall, MELANOMA_COLOUR, few=group.few_melanomas),
            _score(group.melanoma_auc, MELANOMA_COLOUR, few=group.few_melanomas),
        ]
    )


def _score(estimate: Estimate, colour: str, *, few: bool) -> Component:
    return html.Td(whisker(estimate, colour), className="few" if few else None)


def _header(columns: Sequence[str]) -> Component:
    first, *rest = columns
    return html.Thead(
        html.Tr([html.Th(first, scope="col"), *(html.Th(name, scope="col", className="number") for name in rest)])
    )

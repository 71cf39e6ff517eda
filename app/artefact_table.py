"""The table by image quality: the figures of images with and without each artefact, and their difference."""

import math
from collections.abc import Sequence
from dataclasses import fields

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from analysis.artefacts import Artefact, ArtefactFigures, ArtefactSide
from analysis.bootstrap import Estimate
from analysis.groups import FEW_LESIONS, FEW_MELANOMAS
from app import urls
from app.artefact_words import NAMES, doubtful, doubts
from app.components import download_link, panel
from app.csv_answers import estimate_columns
from app.numbers import percent, percent_interval, signed_interval, with_interval

COLUMNS = {
    "balanced_accuracy": "Balanced accuracy",
    "melanoma_auc": "Melanoma AUC",
    "melanoma_recall": "Melanoma sensitivity",
    "naevi_called_melanoma": "Naevi called melanoma",
}
CSV = f"{urls.json_twin(urls.METRICS)}/image_quality.csv"
SHARES = ("melanoma_recall", "naevi_called_melanoma")
EXPLANATION = (
    "95 % intervals from 1,000 resamples of lesions. Balanced accuracy is over the diagnoses that both sides have. "
    f"Pale figures say little: they stand on under {FEW_LESIONS} lesions, or {FEW_MELANOMAS} of melanoma or naevus. "
    "The images with and without are of different lesions, so that a difference can come from these too; Winkler et "
    "al. 2019 marked the same naevi with ink, and found false alarms raised by about 40 %."
)


def artefact_panel(artefacts: Sequence[Artefact]) -> list[Component]:
    """The panel; nothing where nothing is known of the images' quality."""
    if not artefacts:
        return []
    header = html.Tr(
        [
            html.Th("Images", scope="col"),
            html.Th("Cases (lesions)", scope="col", className="number"),
            *(html.Th(title, scope="col", className="number") for title in COLUMNS.values()),
        ]
    )
    return [
        panel(
            "By image quality: figures of images with and without each artefact, with 95 % intervals",
            html.P(answer(artefacts), className="card-text"),
            html.Div(
                html.Table([html.Thead(header), *map(_rows, artefacts)], className="table artefacts"),
                className="table-box",
                tabIndex=0,
            ),
            html.P(f"{EXPLANATION} {doubts([one.name for one in artefacts])}", className="caption"),
            actions=[download_link("CSV", urls.json_twin(f"{urls.metrics()}/image_quality.csv"))],
        )
    ]


def answer(artefacts: Sequence[Artefact]) -> str:
    """What ink and ruler marks do to naevi here, in a sentence each."""
    told = [_false_alarms(one) for one in artefacts if one.name in ("ink", "ruler") and one.present.naevi]
    return " ".join(told) or "No image of a naevus shows ink or ruler marks."


def artefact_table(artefacts: Sequence[Artefact]) -> pd.DataFrame:
    """Three rows an artefact: present, absent, and their difference; value, low and high end of each figure."""
    return pd.DataFrame(
        {
            "artefact": one.name,
            "images": name,
            **{count: getattr(side, count, None) for count in ("cases", "lesions", "melanomas", "naevi")},
            "diagnoses": one.diagnoses,
            **estimate_columns({figure.name: getattr(figures, figure.name) for figure in fields(ArtefactFigures)}),
        }
        for one in artefacts
        for name, side, figures in (
            ("present", one.present, one.present.figures),
            ("absent", one.absent, one.absent.figures),
            ("difference", None, one.difference),
        )
    )


def _false_alarms(one: Artefact) -> str:
    present, absent, difference = (
        figures.naevi_called_melanoma for figures in (one.present.figures, one.absent.figures, one.difference)
    )
    verdict = "no difference beyond chance"
    # Resamples of naevi of which none or all are called melanoma know of no chance that it is otherwise.
    if {present.value, absent.value} & {0, 1} or min(one.present.naevi, one.absent.naevi) < FEW_MELANOMAS:
        verdict = f"too few to tell, {one.present.naevi:,} of them with and {one.absent.naevi:,} without"
    elif difference.low > 0:
        verdict = "more, beyond chance"
    elif difference.high < 0:
        verdict = "fewer, beyond chance"
    return (
        f"With {NAMES[one.name]} {percent(present.value)} of naevi are called melanoma (95 % "
        f"{percent_interval(present)}), without {percent(absent.value)} ({percent_interval(absent)}): {verdict}."
    )


def _rows(one: Artefact) -> Component:
    name = NAMES[one.name]
    caution = html.Span("detector often wrong", className="quiet") if doubtful(one.detection) else None
    if not one.present.cases:
        nothing = html.Td("No image is found to show any.", colSpan=len(COLUMNS) + 1, className="quiet")
        return html.Tbody(html.Tr([html.Th([f"With {name} ", caution], scope="row"), nothing]))
    few = _few(one.present) | _few(one.absent)
    return html.Tbody(
        [
            _row([f"With {name} ", caution], one.present, urls.cases(artefacts=one.name)),
            _row([f"Without {name}"], one.absent, urls.cases(no_artefacts=one.name)),
            html.Tr(
                [
                    html.Th("Difference", scope="row", className="quiet"),
                    html.Td(),
                    *(
                        _cell(_difference(column, getattr(one.difference, column)), few=column in few)
                        for column in COLUMNS
                    ),
                ]
            ),
        ]
    )


def _row(heading: list[Component | str | None], side: ArtefactSide, address: str) -> Component:
    few = _few(side)
    return html.Tr(
        [
            html.Th(heading, scope="row"),
            html.Td(dcc.Link(f"{side.cases:,} ({side.lesions:,})", href=address), className="number"),
            *(_cell(_text(column, getattr(side.figures, column)), few=column in few) for column in COLUMNS),
        ]
    )


def _text(column: str, estimate: Estimate) -> str:
    if column in SHARES and not math.isnan(estimate.value):
        return f"{percent(estimate.value)} ({percent_interval(estimate)})"
    return with_interval(estimate)


def _difference(column: str, estimate: Estimate) -> str:
    """A difference of shares in percentage points."""
    if column in SHARES and not math.isnan(estimate.value):
        points = Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)
        return f"{signed_interval(points, 1)} points"
    return signed_interval(estimate)


def _cell(text: str, *, few: bool) -> Component:
    return html.Td(text, className="number few" if few else "number")


def _few(side: ArtefactSide) -> set[str]:
    """The figures that stand on few lesions."""
    found = {"balanced_accuracy"} if side.lesions < FEW_LESIONS else set()
    if side.melanomas < FEW_MELANOMAS:
        found |= {"melanoma_auc", "melanoma_recall"}
    if side.naevi < FEW_MELANOMAS:
        found.add("naevi_called_melanoma")
    return found

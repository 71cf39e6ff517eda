"""The calibrated probabilities of one image as bars, and the sentence that says what was called and why."""

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from app.class_names import named
from app.components import class_chip
from model.bundle import Card
from model.classes import diagnosis


def probability_bars(card: Card, predicted: str, probabilities: Mapping[str, float]) -> Component:
    """Bars of the classes, most probable first, the called one marked, each with its share of the training cases."""
    prior = dict(zip(card.classes, card.class_prior, strict=True))
    codes = sorted(card.classes, key=lambda code: -probabilities[code])
    rows = [_row(code, probabilities[code], prior[code], code == predicted) for code in codes]
    return html.Div(
        [
            html.P(call_sentence(card, predicted, probabilities), className="call-sentence"),
            html.Ul(rows, className="probability-bars", **{"aria-label": probabilities_title(card)}),
            html.P(
                [html.Span(className="prior-key"), _prior_meaning(card)],
                className="caption",
            ),
        ]
    )


def probabilities_title(card: Card) -> str:
    """What the probabilities are worth."""
    return "Calibrated probabilities" if card.calibrated else "Probabilities, not calibrated"


def _prior_meaning(card: Card) -> str:
    return "share of the training cases" if card.calibrated else "an even share: the training cases are not known"


def call_sentence(card: Card, predicted: str, probabilities: Mapping[str, float]) -> str:
    """Why this class is called: it is the most probable one, or the largest in proportion to its share of cases."""
    most_probable = max(probabilities, key=lambda code: probabilities[code])
    called = named(predicted)
    if most_probable == predicted:
        return f"Called {called}, the most probable class."
    share = dict(zip(card.classes, card.class_prior, strict=True))[predicted]
    times = probabilities[predicted] / share
    return (
        f"Called {called} although {named(most_probable)} is more probable: at {times:.1f} times its "
        f"share of the training cases ({_percent(share)}) it stands out most, which gives rare diagnoses the same "
        "chance as common ones."
    )


def _row(code: str, probability: float, prior: float, called: bool) -> Component:
    bar = html.Div(
        [
            html.Div(style={"width": f"{probability:.2%}", "background": diagnosis(code).colour}, className="bar-fill"),
            html.Div(style={"left": f"{prior:.2%}"}, className="prior-tick"),
        ],
        className="bar-track",
    )
    name = [class_chip(code, full_name=True), html.Span("called", className="called-mark") if called else None]
    return html.Li(
        [
            html.Div(name, className="bar-name"),
            html.Div(_percent(probability), className="bar-value"),
            bar,
        ],
        className="bar-row called" if called else "bar-row",
        **{"data-code": code, "data-probability": f"{probability:.6f}"},
    )


def _percent(share: float) -> str:
    """A share with one decimal, never a false 0 % or 100 %."""
    if share < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if share > 0.999 else f"{share:.1%}".replace("%", " %")

"""The panel that shows what temperature scaling does: both reliability diagrams, and the temperature of every fold."""

from collections.abc import Mapping

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.cross_validation import CrossValidation
from analysis.curves import Reliability
from analysis.performance import Calibration
from app.components import graph, panel
from app.context import Context
from app.figures import reliability_figure
from app.numbers import decimal, with_interval

SWITCH = "metrics-calibration"
TEST, OUT_OF_FOLD, AUDIT = "test", "out-of-fold", "audit"
HEIGHT = 420


def chosen_cases(context: Context, query: Mapping[str, str]) -> str:
    """Whose cases the address wants: this model's test part, or those of all folds where they are there.

    Under an audit they are the audit's.
    """
    if context.audit is not None:
        return AUDIT
    if context.cross_validation is None:
        return TEST
    return TEST if query.get("calibration") == TEST else OUT_OF_FOLD


def shown_calibration(context: Context, cases: str) -> Calibration:
    """Both diagrams of the chosen cases."""
    if cases == OUT_OF_FOLD and context.cross_validation is not None:
        return context.cross_validation.performance.calibration
    return context.results.calibration


def calibration_panel(context: Context, query: Mapping[str, str]) -> Component:
    """Reliability before and after scaling, side by side; `calibration` of the query chooses the cases."""
    cases = chosen_cases(context, query)
    shown = shown_calibration(context, cases)
    return panel(
        "What temperature scaling changes: reliability of the most probable class before and after it",
        html.P(_sentence(context.cross_validation, cases, shown), className="card-text"),
        html.Div(
            [
                _diagram("At temperature 1", shown.before, "before"),
                _diagram("After temperature scaling", shown.after, "after"),
            ],
            className="panels two",
        ),
        *([] if cases == AUDIT else _temperatures(context)),
        actions=[_switch(cases)] if cases != AUDIT and context.cross_validation is not None else [],
    )


def _sentence(validated: CrossValidation | None, cases: str, shown: Calibration) -> str:
    count = sum(one.cases for one in shown.after.bins)
    of_what = f"{count:,} images of {'the audit' if cases == AUDIT else 'this model’s test part'}"
    if cases == OUT_OF_FOLD and validated is not None:
        of_what = (
            f"{count:,} images, each said by the one of {len(validated.figures.folds)} models that has not seen it"
        )
    return (
        f"Probability of the most probable class on {of_what}. Expected calibration error in {len(shown.after.bins)} "
        f"bins of equally many cases: {with_interval(shown.before.error)} at temperature 1, "
        f"{with_interval(shown.after.error)} after scaling, {decimal(shown.after.perfect_error)} for a perfectly "
        "calibrated model by chance."
    )


def _diagram(title: str, diagram: Reliability, name: str) -> Component:
    figure = graph(reliability_figure(diagram, None), f"{SWITCH}-{name}", f"lesionlens_reliability_{name}", HEIGHT)
    heading = dmc.Title(f"{title}: error {with_interval(diagram.error)}", order=3)
    return html.Div([heading, figure])


def _temperatures(context: Context) -> list[Component]:
    validated, card = context.cross_validation, context.bundle.card
    temperatures = [html.Li(f"this model {card.temperature:.3f}")]
    if validated is not None:
        temperatures = [html.Li(f"fold {fold.fold} {fold.temperature:.3f}") for fold in validated.figures.folds]
    return [
        html.P("Temperatures, each fitted to its fold's validation part:", className="caption"),
        html.Ul(temperatures, className="temperatures"),
    ]


def _switch(cases: str) -> Component:
    options = [{"value": OUT_OF_FOLD, "label": "All folds"}, {"value": TEST, "label": "This model's test part"}]
    return dmc.SegmentedControl(id=SWITCH, data=options, value=cases, size="xs", **{"aria-label": "Cases"})

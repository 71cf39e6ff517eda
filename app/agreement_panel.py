"""Whether methods agree on which regions count, over the cases of the Explanations page."""

from dash import html
from dash.development.base_component import Component

from analysis.bootstrap import Estimate
from analysis.explanations import Explanations
from app.components import table_panel
from app.numbers import decimal, signed_interval
from explain.methods import METHODS

STRONGEST = 35  # percent of the accent that full agreement has behind its number


def agreement_panel(found: Explanations) -> list[Component]:
    """A table of every two methods, in the order of the other tables; nothing where it was not measured."""
    if not found.agreement:
        return []
    order = [one.method for one in found.methods if one.method in found.agreement]
    return [
        table_panel(
            "Do methods agree on which regions count?",
            ["", *(METHODS[code].name for code in order)],
            [(METHODS[one].name, [_cell(found, one, other) for other in order]) for one in order],
            "Mean over the cases of the rank correlation of two maps' superpixel means; the interval, at 95 % over "
            "lesions, is under the pointer. Methods that agree may be wrong together: agreement with a control says "
            "that a map shows what anybody could have drawn without the network.",
            "agreement",
        )
    ]


def _cell(found: Explanations, one: str, other: str) -> Component:
    if one == other:
        return html.Td()
    mean: Estimate = found.agreement[one][other]
    shade = f"{STRONGEST * max(mean.value, 0):.0f}%"
    return html.Td(
        decimal(mean.value, 2),
        title=signed_interval(mean, 2),
        style={"background": f"color-mix(in srgb, var(--accent) {shade}, transparent)"},
    )

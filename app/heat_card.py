"""One method's place on the Explain page, which the browser fills (assets/method_cards.js)."""

from dash import html
from dash.development.base_component import Component

from explain.methods import METHODS


def heat_card(method: str, *controls: Component, shown: bool = True) -> Component:
    """The card of `method`, empty but for controls of its own, on the page or `shown` only once it is chosen.

    What no callback reads is left to the browser: Dash asks every component that it knows at each of its updates.
    """
    return html.Section(
        [html.Div(className="heat-head"), *controls, html.Div(className="heat-body")],
        id=f"explain-card-{method}",
        className="panel heat-card",
        **{
            "data-state": "idle",
            "data-method": method,
            "data-shown": "yes" if shown else "no",
            "aria-label": METHODS[method].name,
        },
    )

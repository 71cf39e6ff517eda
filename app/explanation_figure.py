"""The figure of the Explanations page: how faithful every method and control is."""

import plotly.graph_objects as go

from analysis.explanations import Explanations, MethodFigures
from app.figures import REFERENCE
from app.numbers import with_interval
from app.theme import ACCENT
from explain.methods import METHODS

ROW_HEIGHT = 24
MARGINS = 90


def faithfulness_figure(found: Explanations) -> go.Figure:
    """A dot with its interval for each method, in the order of the table; controls in grey, the best one as a line."""
    figure = go.Figure()
    for name, colour, symbol, control in (
        ("Methods", ACCENT, "circle", False),
        ("Controls", REFERENCE, "diamond", True),
    ):
        figure.add_trace(_dots([one for one in found.methods if one.control == control], name, colour, symbol))
    best = max((one.faithfulness.value for one in found.methods if one.control), default=None)
    if best is not None:
        line = {"color": REFERENCE, "width": 1, "dash": "dot"}
        figure.add_shape(type="line", x0=best, x1=best, y0=0, y1=1, yref="paper", line=line)
    order = [METHODS[one.method].name for one in found.methods]
    figure.update_layout(
        xaxis={"title": {"text": "Insertion area less deletion area"}, "zeroline": False},
        yaxis={"categoryorder": "array", "categoryarray": order[::-1], "automargin": True},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        margin={"l": 8, "r": 16, "t": 32, "b": 48},
    )
    return figure


def height(found: Explanations) -> int:
    """The height in pixels that the figure needs."""
    return MARGINS + ROW_HEIGHT * len(found.methods)


def _dots(methods: list[MethodFigures], name: str, colour: str, symbol: str) -> go.Scatter:
    values = [one.faithfulness for one in methods]
    return go.Scatter(
        x=[value.value for value in values],
        y=[METHODS[one.method].name for one in methods],
        error_x={
            "type": "data",
            "array": [value.high - value.value for value in values],
            "arrayminus": [value.value - value.low for value in values],
            "thickness": 1.5,
            "width": 0,
        },
        mode="markers",
        marker={"color": colour, "size": 9, "symbol": symbol},
        name=name,
        customdata=[with_interval(value) for value in values],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )

"""The figures of the metrics, pair and leakage pages; their titles stand above them on the page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.bootstrap import Estimate
from analysis.curves import Curve, Reliability
from analysis.pair import PairAudit
from app.class_names import named
from app.numbers import decimal, percent, with_interval
from app.theme import ACCENT, CLASS_COLOURS
from model.classes import diagnosis

REFERENCE = "#868e96"
MARGIN_BINS = 48


def roc_figure(curves: Mapping[str, Curve], areas: Mapping[str, Estimate], highlighted: str | None) -> go.Figure:
    """ROC curves of every class against the rest, with their areas in the legend."""
    figure = go.Figure(_reference_line([0, 1], [0, 1], "Chance: 0.500"))
    for code in _highlighted_last(curves, highlighted):
        name = f"{code} {with_interval(areas[code], 2)}"
        figure.add_trace(
            _curve(curves[code], code, name, highlighted, "1 − specificity %{x:.3f}, sensitivity %{y:.3f}")
        )
    return _unit_square(figure, "1 − specificity", "Sensitivity")


def precision_recall_figure(
    curves: Mapping[str, Curve], precisions: Mapping[str, Estimate], highlighted: str | None
) -> go.Figure:
    """Precision against recall of every class, with average precisions in the legend."""
    figure = go.Figure()
    for code in _highlighted_last(curves, highlighted):
        name = f"{code} {with_interval(precisions[code], 2)}"
        figure.add_trace(_curve(curves[code], code, name, highlighted, "Recall %{x:.3f}, precision %{y:.3f}"))
    if highlighted is not None:
        chance = curves[highlighted].baseline
        figure.add_trace(_reference_line([0, 1], [chance, chance], f"Chance: {chance:.3f}"))
    return _unit_square(figure, "Recall", "Precision")


def reliability_figure(reliability: Reliability, code: str | None) -> go.Figure:
    """How often what was said with a probability came true, with the interval of every bin."""
    bins = reliability.bins
    colour = ACCENT if code is None else diagnosis(code).colour
    frequencies = [one.frequency for one in bins]
    points = go.Scatter(
        x=[one.probability for one in bins],
        y=[frequency.value for frequency in frequencies],
        error_y={
            "type": "data",
            "array": [frequency.high - frequency.value for frequency in frequencies],
            "arrayminus": [frequency.value - frequency.low for frequency in frequencies],
            "thickness": 1.5,
            "width": 0,
        },
        customdata=[[one.cases, one.low, one.high, with_interval(one.frequency)] for one in bins],
        mode="lines+markers",
        line={"color": colour, "width": 1.5},
        marker={"color": colour, "size": 7},
        name="Model, with 95 % intervals",
        hovertemplate=(
            "%{customdata[0]} cases said with %{customdata[1]:.3f} to %{customdata[2]:.3f}<br>"
            "mean probability %{x:.3f}<br>came true %{customdata[3]}<extra></extra>"
        ),
    )
    figure = go.Figure([_reference_line([0, 1], [0, 1], "Perfectly calibrated"), points])
    what = "of the most probable class" if code is None else f"of {named(code)}"
    return _unit_square(figure, f"Mean probability {what}", "Share that came true")


def margin_figure(audit: PairAudit, threshold: float) -> go.Figure:
    """How the margins of either class are distributed, with the threshold between them as a line."""
    edges = np.linspace(audit.margins.min(), audit.margins.max(), MARGIN_BINS + 1)
    figure = go.Figure()
    for code, members in ((audit.against, ~audit.positive), (audit.code, audit.positive)):
        counts, _ = np.histogram(audit.margins[members], edges)
        figure.add_trace(
            go.Bar(
                x=(edges[1:] + edges[:-1]) / 2,
                y=100 * counts / members.sum(),
                width=np.diff(edges),
                customdata=np.stack([edges[:-1], edges[1:], counts], axis=1),
                name=f"{diagnosis(code).name} (n = {members.sum():,})",
                marker={"color": diagnosis(code).colour, "opacity": 0.6, "line": {"width": 0}},
                hovertemplate=f"{code}: %{{customdata[2]}} cases (%{{y:.1f}} %)<br>margin %{{customdata[0]:.2f}} to "
                "%{customdata[1]:.2f}<extra></extra>",
            )
        )
    figure.update_layout(barmode="overlay", shapes=[_threshold_line(threshold)])
    title = _title(f"Margin: logit({audit.code}) − logit({audit.against})")
    return _with_axes(
        figure,
        {"title": title, "zeroline": False},
        {"title": _title("Share of the diagnosis (%)"), "rangemode": "tozero"},
    )


def pair_roc_figure(audit: PairAudit, sensitivity: float, specificity: float) -> go.Figure:
    """The ROC curve of the pair's margin, with the operating point as the last trace."""
    curve = go.Scatter(
        x=audit.curve.x,
        y=audit.curve.y,
        customdata=audit.curve.thresholds,
        mode="lines",
        line={"color": diagnosis(audit.code).colour, "width": 2},
        name=f"AUC {with_interval(audit.auc)}",
        hovertemplate="margin %{customdata:.2f}<br>sensitivity %{y:.3f}<br>1 − specificity %{x:.3f}<extra></extra>",
    )
    point = go.Scatter(
        x=[1 - specificity],
        y=[sensitivity],
        mode="markers",
        marker={"size": 13, "color": ACCENT, "line": {"color": "#ffffff", "width": 2}},
        name="Chosen margin",
        hovertemplate="sensitivity %{y:.3f}<br>1 − specificity %{x:.3f}<extra></extra>",
    )
    figure = go.Figure([_reference_line([0, 1], [0, 1], "Chance: 0.500"), curve, point])
    return _unit_square(
        figure, f"1 − specificity ({audit.against} taken for {audit.code})", f"Sensitivity ({audit.code} found)"
    )


def overlap_figure(shares: pd.DataFrame) -> go.Figure:
    """Shares of test rows seen in training, from the rows of one protocol of an overlap table, the total on top."""
    names = [str(name) for name in shares["diagnosis"]]
    image, lesion = (100 * shares[column].to_numpy(float) for column in ("image", "lesion"))
    marker = {"color": [CLASS_COLOURS.get(name, ACCENT) for name in names], "line": {"width": 0}}
    hover = "%{y}: image in training %{customdata[0]:.1f} %, lesion %{customdata[1]:.1f} % of %{customdata[2]:,} rows"
    bars = {
        "y": names,
        "orientation": "h",
        "marker": marker,
        "customdata": np.stack([image, lesion, shares["rows"]], axis=1),
        "hovertemplate": f"{hover}<extra></extra>",
    }
    # The text of bars keeps the colour of the figure on the page; that of points follows light and dark.
    labels = go.Scatter(
        x=lesion,
        y=names,
        text=[f"\u2002{percent(share / 100)}" for share in lesion],
        mode="text",
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure = go.Figure([go.Bar(x=image, **bars), go.Bar(x=lesion - image, opacity=0.4, **bars), labels])
    figure.update_layout(
        barmode="stack",
        bargap=0.3,
        showlegend=False,
        margin={"t": 8, "r": 24, "l": 48, "b": 44},
        xaxis={"range": [0, 118], "tickvals": [0, 25, 50, 75, 100], "title": _title("Test rows seen (%)")},
        yaxis={"autorange": "reversed", "ticks": "", "ticksuffix": "\u2002"},
    )
    return figure


def _curve(curve: Curve, code: str, name: str, highlighted: str | None, hover: str) -> go.Scatter:
    faded = highlighted not in (None, code)
    return go.Scatter(
        x=curve.x,
        y=curve.y,
        customdata=[decimal(min(threshold, 1)) for threshold in curve.thresholds],
        mode="lines",
        line={"color": diagnosis(code).colour, "width": 1 if faded else 2},
        opacity=0.3 if faded else 1,
        name=name,
        hovertemplate=f"{code} from a probability of %{{customdata}}: {hover}<extra></extra>",
    )


def _highlighted_last(curves: Mapping[str, Curve], highlighted: str | None) -> list[str]:
    return sorted(curves, key=lambda code: code == highlighted)


def _reference_line(x: list[float], y: list[float], name: str) -> go.Scatter:
    line = {"color": REFERENCE, "width": 1, "dash": "dot"}
    return go.Scatter(x=x, y=y, mode="lines", line=line, name=name, hoverinfo="skip")


def _threshold_line(threshold: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": threshold,
        "x1": threshold,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": ACCENT, "width": 2},
    }


def _unit_square(figure: go.Figure, x: str, y: str) -> go.Figure:
    axis = {"range": [-0.01, 1.01], "dtick": 0.2, "tickformat": ".1f", "zeroline": False}
    return _with_axes(figure, {"title": _title(x), **axis}, {"title": _title(y), **axis})


def _with_axes(figure: go.Figure, x: dict[str, Any], y: dict[str, Any]) -> go.Figure:
    """Set the axes, and the legend below them."""
    legend = {"font": {"size": 11}, "y": -0.22, "yanchor": "top"}
    figure.update_layout(xaxis=x, yaxis=y, legend=legend, margin={"t": 28})
    return figure


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 12}}

"""The deletion and insertion curves of a map and of the controls."""

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.faithfulness import SHARES, area_name
from analysis.trust import Trust
from app.theme import ACCENT, plotly_template
from explain.methods import METHODS

HEIGHT = 700
CONTROL_COLOUR = "#868e96"
DASHES = ("dot", "dash", "dashdot")
AXES = {
    ("deletion", "mean_colour"): "Pixels hidden behind the mean colour · lower is better",
    ("deletion", "blur"): "Pixels hidden by blurring them · lower is better",
    ("insertion", "mean_colour"): "Pixels shown on the mean colour · higher is better",
    ("insertion", "blur"): "Pixels shown on the blurred image · higher is better",
}


def curves_figure(trust: Trust, classes: tuple[str, ...], baselines: Mapping[str, str]) -> go.Figure:
    """Deletion above insertion: the explained score in logits against the share of pixels hidden or shown.

    `baselines` are those of each: DECIDING or EXCHANGED.
    """
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.3)
    weights = trust.target.weights(classes)
    contrast = trust.target.against is not None
    found = {**trust.controls, trust.method: trust.measures}
    dashes = dict(zip(trust.controls, DASHES, strict=False))
    for row, (kind, baseline) in enumerate(baselines.items(), 1):
        area = area_name(kind, baseline, contrast=contrast)
        for code, measures in found.items():
            own = code == trust.method
            figure.add_scatter(
                x=SHARES.tolist(),
                y=(trust.curves[code].of(kind, baseline) @ weights).tolist(),
                name=f"{METHODS[code].name} {measures[area]:.2f}",
                legendrank=1 if own else 1000,
                legend="legend" if row == 1 else "legend2",
                line={
                    "color": ACCENT if own else CONTROL_COLOUR,
                    "width": 2.5 if own else 1.5,
                    "dash": "solid" if own else dashes[code],
                },
                hovertemplate="%{x:.0%} of the pixels: %{y:.2f}<extra>" + METHODS[code].name + "</extra>",
                row=row,
                col=1,
            )
        figure.update_xaxes(title_text=AXES[kind, baseline], row=row)
    figure.update_xaxes(tickformat=".0%", range=[0, 1], title_font_size=12)
    figure.update_yaxes(title_text=_score(trust), title_font_size=12)
    figure.update_layout(
        template=plotly_template(),
        height=HEIGHT,
        legend={"y": 1.01, "yanchor": "bottom"},
        legend2={"y": 0.36, "yanchor": "bottom", "x": 0, "orientation": "h"},
        margin={"t": 64, "r": 24},
    )
    return figure


def _score(trust: Trust) -> str:
    code, against = trust.target.code, trust.target.against
    return f"Logit of {code}" if against is None else f"Logit of {code} − {against}"

"""The deletion and insertion curves of a map and of the controls."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.faithfulness import SHARES
from analysis.trust import Trust
from app.theme import ACCENT, plotly_template
from explain.methods import METHODS

HEIGHT = 700
CONTROL_COLOUR = "#868e96"
DASHES = ("dot", "dash", "dashdot")
AXES = {"deletion": "Pixels hidden · lower is better", "insertion": "Pixels shown · higher is better"}


def curves_figure(trust: Trust, classes: tuple[str, ...]) -> go.Figure:
    """Deletion above insertion: the explained score in logits against the share of pixels hidden or shown."""
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.3)
    weights = trust.target.weights(classes)
    suffix = "" if trust.target.against is None else "_contrast"
    found = {**trust.controls, trust.method: trust.measures}
    dashes = dict(zip(trust.controls, DASHES, strict=False))
    for row, kind in enumerate(AXES, 1):
        for code, measures in found.items():
            own = code == trust.method
            figure.add_scatter(
                x=SHARES.tolist(),
                y=(getattr(trust.curves[code], kind) @ weights).tolist(),
                name=f"{METHODS[code].name} {measures[f'{kind}_area{suffix}']:.2f}",
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
        figure.update_xaxes(title_text=AXES[kind], row=row)
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

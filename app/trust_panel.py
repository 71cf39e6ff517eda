"""Below a heatmap: may this map be believed? Verdicts as chips, their curves a click away (assets/trust.js)."""

from dataclasses import asdict
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.faithfulness import DECIDING, EXCHANGED
from analysis.trust import Trust
from app.components import graph
from app.trust_figure import HEIGHT, curves_figure
from explain.methods import METHODS

DIALOG = "explain-curves"
CAPTION = (
    "What the map calls most important is hidden first, or shown first. Beside the names stand the normalised areas "
    "under the curves. The verdict rests on hiding behind the image's mean colour and showing on the blurred image, as "
    "in the paper that it is from (RISE); with the baselines exchanged one sees whether it hangs on that choice. A map "
    "that is no better than a random one, a Gaussian in the middle or an edge detector says nothing that one would not "
    "know without the model."
)
# What the curves can be seen on: by value, its label and the baseline of each kind of curve.
VIEWS = {"deciding": ("As judged", DECIDING), "exchanged": ("Baselines exchanged", EXCHANGED)}
ESTIMATED = "The lesion's outline is estimated, not drawn by anybody."


def curves_dialog() -> Component:
    """The dialog that shows one map's verdicts with their numbers, and its curves beside those of the controls."""
    from plotly.graph_objects import Figure

    return dmc.Modal(
        [
            html.Ul(id="explain-curves-verdicts", className="trust-verdicts"),
            dmc.SegmentedControl(
                id="explain-curves-baselines",
                data=[{"value": value, "label": label} for value, (label, _) in VIEWS.items()],
                value="deciding",
                size="xs",
                **{"aria-label": "Baselines of the curves"},
            ),
            graph(Figure(), "explain-curves-graph", "deletion_and_insertion", HEIGHT),
            html.P(CAPTION, className="caption"),
        ],
        id=DIALOG,
        title="Deletion and insertion",
        size=760,
        closeButtonProps={"aria-label": "Close"},
    )


def shown(trust: Trust, classes: tuple[str, ...]) -> dict[str, Any]:
    """What the browser is sent of a map's worth: the chips, a note on the lesion's outline, the figures."""
    return {
        "title": f"{METHODS[trust.method].name}: {trust.target}",
        "chips": [asdict(verdict) for verdict in trust.verdicts],
        "note": ESTIMATED if trust.mask_estimated else "",
        "figures": {
            value: curves_figure(trust, classes, baselines).to_plotly_json() for value, (_, baselines) in VIEWS.items()
        },
    }

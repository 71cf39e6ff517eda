"""Which methods' heatmaps are wanted, and at which layer of the network."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from app.method_list import names_in_address
from explain.layers import resolutions
from explain.methods import METHODS
from model.bundle import ModelBundle

DEFAULT_METHODS = ("gradcam", "shap", "lime")
# The method that has its layer chosen on the page: the others that take one show least where they are at their best.
LAYERED = "layercam"


def chosen_methods(query: Mapping[str, str]) -> list[str]:
    """The methods that the address names, in the order of METHODS, or the usual three where it names none."""
    named = names_in_address(query.get("methods", ""))
    return [code for code in METHODS if code in named] or list(DEFAULT_METHODS)


def methods_select(query: Mapping[str, str]) -> Component:
    """The choice of methods, by family."""
    families: dict[str, list[dict[str, str]]] = {}
    for code, method in METHODS.items():
        families.setdefault(method.family, []).append({"value": code, "label": method.name})
    return dmc.MultiSelect(
        id="explain-methods",
        label="Heatmaps",
        data=[{"group": family, "items": items} for family, items in families.items()],
        value=chosen_methods(query),
        searchable=True,
        nothingFoundMessage="No such method",
        maxDropdownHeight=420,
        className="control-methods",
    )


def layer_choice(bundle: ModelBundle, query: Mapping[str, str]) -> Component:
    """The choice of a layer from fine to coarse, each by its resolution; the last one unless the address names one."""
    known = resolutions(bundle)
    last = next(reversed(known), None)
    wanted = query.get("layer")
    return html.Div(
        [
            html.Span("Layer, from detail to meaning", className="control-label"),
            dmc.SegmentedControl(
                id="explain-layer",
                data=[{"value": name, "label": f"{height} × {width}"} for name, (height, width) in known.items()],
                value=wanted if wanted in known else last,
                size="xs",
                fullWidth=True,
                **{"aria-label": f"Layer of {METHODS[LAYERED].name}"},
            ),
        ],
        className="layer-choice",
    )


def method_answers(bundle: ModelBundle) -> list[dict[str, Any]]:
    """What programs are told of every method, in JSON-compatible values."""
    layers = [{"layer": name, "height": size[0], "width": size[1]} for name, size in resolutions(bundle).items()]
    return [
        {
            "method": code,
            "name": method.name,
            "sentence": method.sentence,
            "family": method.family,
            "control": method.control,
            "unit": method.unit,
            "evaluations": method.evaluations,
            "layers": layers if method.layered else [],
            "library": method.library is not None,
        }
        for code, method in METHODS.items()
    ]

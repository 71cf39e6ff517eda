"""One method's explanation on the Explain page: its pictures, colour bar, progress and downloads."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from app.components import icon
from app.trust_panel import trust_panel
from explain.methods import METHODS


def heat_card(method: str, *controls: Component, shown: bool = True) -> Component:
    """The card of `method`, empty, with controls of its own, on the page or `shown` only once it is chosen.

    assets/explain.js and assets/regions.js fill its parts, which are called explain-PART-METHOD.
    """
    name = METHODS[method].name
    downloads = [_download(method, kind) for kind in ("png", "npz")]
    return html.Section(
        [
            html.Div(
                [dmc.Title(name, order=2), html.Div(downloads, className="heat-downloads")], className="panel-heading"
            ),
            *controls,
            html.Div(_pictures(method), className="pictures"),
            _colour_bar(method),
            _progress(method),
            html.P(METHODS[method].sentence, className="caption"),
            _regions(method),
            trust_panel(method),
            html.Div(
                id=_part("announce", method), className="visually-hidden", role="status", **{"aria-live": "polite"}
            ),
        ],
        id=_part("card", method),
        className="panel heat-card",
        **{"data-state": "idle", "data-method": method, "data-shown": "yes" if shown else "no", "aria-label": name},
    )


def _part(kind: str, method: str) -> str:
    return f"explain-{kind}-{method}"


def _download(method: str, kind: str) -> Component:
    return dmc.Button(
        kind.upper(),
        id=_part(kind, method),
        leftSection=icon("download", 14),
        variant="subtle",
        size="compact-xs",
        **{"aria-label": f"Download {METHODS[method].name} as {kind.upper()}"},
    )


def _pictures(method: str) -> list[Component]:
    """Original, overlay and map; the original is shown where the card has the page to itself."""
    name = METHODS[method].name
    original = [
        html.Img(id=_part("plain", method), alt="Original image"),
        html.Span("synthetic", className="synthetic-mark"),
    ]
    overlay = [
        html.Img(id=_part("under", method), alt="Original image"),
        html.Img(id=_part("heat", method), alt=f"{name} heatmap over the image", className="heat"),
    ]
    heat_map = [html.Img(id=_part("map", method), alt=f"{name} heatmap alone")]
    return [
        _figure("Original", original, "picture-original"),
        _figure("Overlay", overlay, "picture-overlay"),
        _figure("Map", heat_map, "picture-map"),
    ]


def _figure(caption: str, content: list[Component], kind: str) -> Component:
    return html.Figure([html.Div(content, className="picture"), html.Figcaption(caption)], className=kind)


def _colour_bar(method: str) -> Component:
    numbers = [html.Span(id=_part(kind, method)) for kind in ("low", "middle", "high")]
    return html.Div(
        [
            html.Div(id=_part("scale", method), className="colour-scale"),
            html.Div(numbers, className="colour-numbers"),
        ],
        className="colour-bar",
    )


def _progress(method: str) -> Component:
    name = METHODS[method].name
    row = [
        html.Span(id=_part("status", method), className="heat-status"),
        _button("Cancel", _part("cancel", method), "x", f"Cancel {name}"),
        _button("Run again", _part("again", method), "refresh", f"Run {name} again"),
    ]
    return html.Div(
        [
            html.Progress(id=_part("amount", method), **{"aria-label": f"{name} progress"}),
            html.Div(row, className="heat-progress-row"),
        ],
        className="heat-progress",
    )


def _regions(method: str) -> Component:
    """The table of the regions, folded away: what the pointer shows, for those who use none."""
    table = html.Div(
        id=_part("regions-table", method),
        className="heat-regions-box",
        tabIndex=0,
        role="region",
        **{"aria-label": f"Regions of {METHODS[method].name}"},
    )
    note = html.P(id=_part("regions-note", method), className="caption")
    return html.Details([html.Summary("Regions by value"), table, note], className="heat-regions")


def _button(text: str, identifier: str, icon_name: str, label: str) -> Component:
    return dmc.Button(
        text,
        id=identifier,
        variant="default",
        size="compact-xs",
        leftSection=icon(icon_name, 14),
        **{"aria-label": label},
    )

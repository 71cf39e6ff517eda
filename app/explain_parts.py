"""The parts of the Explain page: choosing an image, seeing it and its probabilities, asking about it."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from analysis.options import AUGMENTATION, ENSEMBLE, OptionGain
from app import urls
from app.components import icon
from app.method_choice import chosen_methods, methods_select
from app.out_of_fold_tables import option_sentence
from app.probabilities import probabilities_title
from explain.methods import METHODS
from explain.overlay import OPACITY
from model.bundle import Card
from model.classes import diagnosis
from model.phantoms import SAMPLES

# What the folds say of an image beside the one model that predicts it, and the place where it is said.
FOLDS, FOLDS_SAID = "explain-folds", "explain-folds-said"


def upload() -> Component:
    """Where images are dropped or chosen."""
    return html.Div(
        [
            dcc.Upload(
                html.Div(
                    [
                        icon("photo-plus", 28),
                        html.Div(
                            [
                                html.Div("Drop dermatoscopic images here", className="upload-title"),
                                html.Div(
                                    "JPEG, PNG, WebP, BMP or TIFF, up to 20 MB each. They stay in this browser tab; "
                                    "the server keeps nothing.",
                                    className="upload-text",
                                ),
                            ]
                        ),
                        dmc.Button("Choose images", id="explain-choose", size="sm"),
                    ],
                    className="upload-content",
                ),
                id="explain-upload",
                className="upload",
                className_active="upload upload-active",
                multiple=True,
                style={},
                style_active={},
            ),
            html.Div(id="explain-opening", className="caption", role="status", **{"aria-live": "polite"}),
        ],
        className="explain-upload",
    )


def samples() -> Component:
    """The synthetic phantoms, each a link to its explanation."""
    links = [
        dcc.Link(
            [
                html.Img(src=urls.sample_thumbnail(name), alt="", width=240, height=180),
                html.Span(recipe.title, className="sample-title"),
            ],
            href=urls.explain(sample=name),
            className="sample",
            title=recipe.description,
        )
        for name, recipe in SAMPLES.items()
    ]
    return html.Section(
        [
            dmc.Title("Or open a sample", order=2),
            html.P("Computer-drawn phantoms, pictures of no patient.", className="caption"),
            html.Div(links, className="samples"),
        ],
        className="explain-samples",
    )


def image_strip() -> Component:
    """Which image is shown, and the way to the others."""
    return html.Section(
        [
            html.Div(
                [html.H2(id="explain-name", className="image-name"), html.Div(id="explain-facts", className="caption")],
                className="image-title",
            ),
            html.Div(id="explain-thumbnails", className="thumbnails", role="group", **{"aria-label": "Images"}),
            html.Div(
                [
                    _page_button("explain-previous", "chevron-left", "Previous image"),
                    html.Span(id="explain-position", className="pager-position", role="status"),
                    _page_button("explain-next", "chevron-right", "Next image"),
                ],
                className="pager",
            ),
        ],
        className="image-strip",
        **{"aria-label": "Images"},
    )


def _page_button(identifier: str, icon_name: str, label: str) -> Component:
    return dmc.ActionIcon(icon(icon_name, 18), id=identifier, variant="default", **{"aria-label": label})


def original() -> Component:
    """The image as it was opened."""
    picture = [
        html.Img(id="explain-original", alt="The image as opened"),
        html.Span("synthetic", className="synthetic-mark"),
    ]
    return html.Section(
        html.Div(picture, className="picture"), className="panel explain-image", **{"aria-label": "Image"}
    )


def about(image: Mapping[str, Any]) -> dict[str, str]:
    """What says of which image, and asked how, something is said: the browser hides it beside another."""
    return {"data-about": f"{image.get('number')}|{image.get('asked')}"}


def probabilities(card: Card, query: Mapping[str, str], folds: int, gains: Sequence[OptionGain]) -> Component:
    """The place of the probability bars, grey until there are some, under that of the warning that they mean nothing.

    Below them is chosen, as the address has it, who predicts: the model alone or all of its `folds`; `gains` are what
    the choices were measured to be worth.
    """
    return html.Section(
        [
            html.Div(id="explain-novelty"),
            html.Div(dmc.Title(probabilities_title(card), order=2), className="panel-heading"),
            html.Div(
                [dmc.Skeleton(height=18, mb=14), *(dmc.Skeleton(height=24, mb=8) for _ in card.classes)],
                id="explain-probabilities",
                **{"aria-live": "polite"},
            ),
            *([dcc.Store(id=FOLDS), html.Div(id=FOLDS_SAID, **{"aria-live": "polite"})] if folds > 1 else []),
            html.Div(
                [
                    _switch(
                        "explain-tta",
                        "Average over flips and turns",
                        checked=query.get("tta") == "1",
                        description=option_sentence(gains, AUGMENTATION),
                    ),
                    _ensemble_switch(query, folds, gains),
                ],
                className="model-switches",
            ),
        ],
        className="panel",
    )


def _ensemble_switch(query: Mapping[str, str], folds: int, gains: Sequence[OptionGain]) -> Component:
    if folds < 2:
        reason = "No ensemble: no other folds are here that run as this model does."
        return _switch("explain-ensemble", "Ensemble of the folds", checked=False, disabled=True, description=reason)
    return _switch(
        "explain-ensemble",
        f"Ensemble of {folds} folds",
        checked=query.get("ensemble") == "1",
        description=option_sentence(gains, ENSEMBLE),
    )


def _switch(identifier: str, label: str, *, checked: bool, **properties: Any) -> Component:
    return dmc.Switch(id=identifier, label=label, checked=checked, size="xs", **properties)


def controls(classes: Sequence[str], query: Mapping[str, str]) -> Component:
    """What to explain and how to look at it, as the address has it; unknown classes in it are passed over."""
    target, against = (query.get(name) if query.get(name) in classes else None for name in ("target", "against"))
    views = [
        {"value": "all", "label": "All"},
        *({"value": code, "label": METHODS[code].name} for code in chosen_methods(query)),
    ]
    return html.Div(
        [
            _class_select(classes, "explain-target", "Explain", target, "The called class"),
            _class_select(classes, "explain-against", "rather than", against, "No contrast"),
            methods_select(query),
            html.Div(
                [
                    html.Label("Heatmap opacity", htmlFor="explain-opacity", className="control-label"),
                    dmc.Slider(
                        id="explain-opacity",
                        min=0,
                        max=100,
                        value=round(100 * OPACITY),
                        step=5,
                        updatemode="drag",
                        thumbLabel="Heatmap opacity in percent",
                        size="sm",
                        **{"aria-label": "Heatmap opacity"},
                    ),
                ],
                className="control-opacity",
            ),
            dmc.Select(
                id="explain-view",
                label="View",
                data=views,
                value=chosen_view(query),
                allowDeselect=False,
                className="control-view",
            ),
        ],
        className="panel explain-controls",
    )


def _class_select(
    classes: Sequence[str], identifier: str, label: str, value: str | None, placeholder: str
) -> Component:
    return dmc.Select(
        id=identifier,
        label=label,
        data=[{"value": code, "label": diagnosis(code).name} for code in classes],
        value=value,
        placeholder=placeholder,
        clearable=True,
        className="control-class",
    )


def chosen_view(query: Mapping[str, str]) -> str:
    """The method that the address wants shown large, one of those chosen, or "all"."""
    view = query.get("view", "all").replace(" ", "+")
    return view if view in chosen_methods(query) else "all"


def failure() -> Component:
    """What stands in place of an image that could not be opened."""
    return html.Div(
        [
            html.Div(
                [
                    icon("alert-triangle", 28),
                    html.Div(id="explain-failed-name", className="state-title"),
                    html.Div(id="explain-failed-text", className="state-text"),
                ],
                className="state state-failed",
                role="alert",
            )
        ],
        className="explain-failed",
    )

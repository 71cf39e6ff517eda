"""What a prediction says of its own worth, as it stands on the Explain page."""

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from app.certainty import agreement, entropy_in_words, novelty_in_words
from app.components import icon

AVERAGES = "The probabilities are averages of the folds' calibrated ones, to which no temperature was fitted."


def novelty_alert(novelty: Mapping[str, Any] | None, *, synthetic: bool) -> Component | None:
    """The warning that an image does not look like dermatoscopy, or nothing where it does or nobody has checked."""
    if novelty is None or not novelty["novel"]:
        return None
    if synthetic:
        reason = "The check has noticed that this sample is drawn by a computer. On a picture that is no dermatoscopy, "
    elif novelty["colourless"]:
        reason = "It has no colour, as no image had that the model was trained with. On such an image "
    else:
        reason = "It lies further from the training images than nearly all dermatoscopic images do. If it is none, "
    numbers = f"Distance {novelty['distance']:.3f}, threshold {novelty['threshold']:.3f}."
    return html.Div(
        [
            icon("alert-triangle", 24),
            html.Div(
                [
                    html.Div("This does not look like a dermatoscopic image", className="novelty-title"),
                    html.Div(f"{reason}probabilities and heatmaps mean nothing. {numbers}"),
                ]
            ),
        ],
        className="novelty-alert",
        role="alert",
    )


def certainty(answer: Mapping[str, Any]) -> Component:
    """How sure the model is and whether its folds agree, and, where there is no warning, what the check has found."""
    novelty, disagreement = answer["novelty"], answer["disagreement"]
    sentences = [entropy_in_words(answer["entropy"], answer["relative_entropy"])]
    if disagreement is not None:
        sentences += [agreement(answer["predicted"], disagreement), AVERAGES]
    if novelty is None or not novelty["novel"]:
        sentences.append(novelty_in_words(novelty))
    return html.Ul([html.Li(sentence) for sentence in sentences], className="certainty", **{"aria-label": "Certainty"})


def folds_agreement(predicted: str, disagreement: Mapping[str, Any]) -> Component:
    """Whether the other folds call what the model calls that predicts alone."""
    return html.Ul(html.Li(agreement(predicted, disagreement)), className="certainty")

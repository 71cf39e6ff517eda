"""That a model has learnt the very lesion that it is asked about, said before its probabilities are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from analysis.case_predictions import seen_cases
from app.context import Context
from model.bundle import ModelBundle


def asked_bundles(context: Context, answer: Mapping[str, Any]) -> list[ModelBundle]:
    """The models that an answer is from: those of the ensemble where it tells how far they disagree."""
    if answer["disagreement"] is None:
        return [context.bundle]
    return [member.bundle for member in context.ensemble.members]


def learnt_note(context: Context, image_id: str | None, bundles: Sequence[ModelBundle]) -> Component | None:
    """How many of the models have learnt the image or another of its lesion, or nothing where none is known to."""
    if image_id is None:
        return None
    case = context.cases[context.cases["image_id"] == image_id]
    learnt = sum(bool(seen_cases(case, bundle).any()) for bundle in bundles)
    if not learnt:
        return None
    who = "The model" if len(bundles) == 1 else f"Of {len(bundles)} models {learnt}"
    text = f"{who} learnt from this lesion: what is said of it tells nothing of what would be said of a new one."
    return html.P(text, className="notice learnt-note", role="note")

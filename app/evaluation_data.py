"""Of which data the figures of an imported model are, said wherever they are shown."""

from dash import html
from dash.development.base_component import Component

from model.bundle import Card


def evaluation_sentence(card: Card) -> str:
    """The data that an imported model keeps predictions of, and what its figures on them may be worth."""
    evaluation = card.evaluation
    if not evaluation:
        return "Of which data the kept predictions are is not recorded. " + _unknown_overlap()
    others = evaluation["without_class"]
    left = f", without {others:,} of diagnoses that it has no class for" if others else ""
    return (
        f"On {evaluation['data']}: {evaluation['cases']:,} images of {evaluation['lesions']:,} lesions{left}. "
        + _unknown_overlap()
    )


def _unknown_overlap() -> str:
    return (
        "This model was trained elsewhere: whether it has learnt from these images or lesions is not known, and if it "
        "has, its figures flatter it."
    )


def evaluation_note(card: Card) -> list[Component]:
    """The sentence for the top of a page; nothing for a model whose own test part is known."""
    return [] if card.calibrated else [html.P(evaluation_sentence(card), className="notice", role="note")]

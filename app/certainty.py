"""What a prediction says of its own worth, in words: is this dermatoscopy, how sure is the model, do the folds agree.

The functions take the parts of `app.answers.prediction_answer`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from app.class_names import named

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Shares of the largest possible entropy: of seven classes, one at 0.9 and one at 0.1 give 0.17, two alike 0.36, three
# alike 0.56.
SURE, WAVERING = 0.2, 0.5


def novelty_in_words(novelty: Mapping[str, Any] | None) -> str:
    """The verdict of the check for images that are no dermatoscopy, with its distance and threshold."""
    if novelty is None:
        return "This model has no check for images that are not dermatoscopic."
    numbers = f"distance {novelty['distance']:.3f} to the training images, threshold {novelty['threshold']:.3f}"
    if novelty["colourless"]:
        return "This does not look like a dermatoscopic image: it has no colour. The probabilities mean nothing."
    if novelty["novel"]:
        return (
            f"This does not look like a dermatoscopic image: {numbers}. If it is none, the probabilities mean nothing."
        )
    return f"This looks like a dermatoscopic image: {numbers}."


def entropy_in_words(entropy: float, relative: float) -> str:
    """How sure the model is, with the entropy of its probabilities in nats and as a share of the largest possible."""
    words = "is sure" if relative < SURE else "wavers" if relative < WAVERING else "does not know"
    return f"The model {words}: entropy {entropy:.2f} nats, {100 * relative:.0f} % of the largest possible."


def agreement(predicted: str, disagreement: Mapping[str, Any]) -> str:
    """Whether the folds of the ensemble call the same class, which others they call, and their disagreement in nats."""
    calls, dissenters = disagreement["calls"], disagreement["dissenters"]
    number = f"disagreement {disagreement['mutual_information']:.3f} nats"
    if not dissenters:
        return f"The {_in_words(len(calls))} folds agree: {number}."
    others = [(code, count) for code, count in Counter(calls).most_common() if code != predicted]
    called = [f"{count} of {len(calls)} {_verb(count)} {named(code)}" for code, count in others]
    return f"The folds disagree, {' and '.join(called)}: {number}."


def _verb(count: int) -> str:
    return "calls" if count == 1 else "call"


def _in_words(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)

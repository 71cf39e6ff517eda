"""A prediction's own doubts in words."""

import pytest

from app.certainty import agreement, entropy_in_words, novelty_in_words
from app.certainty_parts import folds_agreement


def disagreement(*calls: str, predicted: str) -> dict[str, object]:
    return {"mutual_information": 0.1234, "calls": calls, "dissenters": sum(call != predicted for call in calls)}


def test_folds_that_agree() -> None:
    words = agreement("mel", disagreement(*["mel"] * 5, predicted="mel"))
    assert words == "The five folds agree: disagreement 0.123 nats."


def test_folds_that_do_not() -> None:
    words = agreement("mel", disagreement("nv", "mel", "nv", "bkl", "mel", predicted="mel"))
    assert words == (
        "The folds disagree, 2 of 5 call melanocytic naevus and 1 of 5 calls benign keratosis-like lesion: "
        "disagreement 0.123 nats."
    )


def test_what_the_folds_say_stands_beside_the_one_model_s_call() -> None:
    said = str(folds_agreement("nv", disagreement("nv", "mel", "nv", "nv", "nv", predicted="nv")))
    assert "The folds disagree, 1 of 5 calls melanoma: disagreement 0.123 nats." in said


@pytest.mark.parametrize(("relative", "words"), [(0.1, "is sure"), (0.3, "wavers"), (0.8, "does not know")])
def test_entropy(relative: float, words: str) -> None:
    text = entropy_in_words(relative * 1.9459, relative)
    assert text.startswith(f"The model {words}: entropy ")
    assert f"{100 * relative:.0f} % of the largest possible" in text


def test_novelty() -> None:
    numbers = {"distance": 0.2, "threshold": 0.3}
    assert "does not look like" in novelty_in_words({"novel": True, "colourless": False, **numbers})
    assert "no colour" in novelty_in_words({"novel": True, "colourless": True, **numbers})
    assert novelty_in_words({"novel": False, "colourless": False, **numbers}) == (
        "This looks like a dermatoscopic image: distance 0.200 to the training images, threshold 0.300."
    )
    assert "no check" in novelty_in_words(None)

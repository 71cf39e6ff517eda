from app.probabilities import call_sentence, probability_bars
from model.bundle import Card

CARD = Card(
    name="three",
    network="none",
    classes=("bkl", "mel", "nv"),
    size=64,
    temperature=1.0,
    class_prior=(0.2, 0.1, 0.7),
)


def test_the_most_probable_class_needs_no_explanation() -> None:
    sentence = call_sentence(CARD, "mel", {"bkl": 0.1, "mel": 0.8, "nv": 0.1})
    assert sentence == "Called melanoma, the most probable class."


def test_a_class_that_is_called_against_a_more_probable_one_is_explained_by_its_share() -> None:
    sentence = call_sentence(CARD, "mel", {"bkl": 0.1, "mel": 0.3, "nv": 0.6})
    assert "although melanocytic naevus is more probable" in sentence
    assert "3.0 times its share of the training cases (10.0 %)" in sentence


def test_bars_are_sorted_and_full_names_and_probabilities_are_shown() -> None:
    bars = probability_bars(CARD, "mel", {"bkl": 0.0004, "mel": 0.3996, "nv": 0.6}).to_plotly_json()
    rows = bars["props"]["children"][1].children
    assert [getattr(row, "data-code") for row in rows] == ["nv", "mel", "bkl"]
    assert [row.children[1].children for row in rows] == ["60.0 %", "40.0 %", "< 0.1 %"]
    assert rows[0].children[0].children[0].children[1] == "Melanocytic naevus"
    assert [row.className for row in rows] == ["bar-row", "bar-row called", "bar-row"]

"""A selection passes exactly the cases that it describes."""

import pandas as pd
import pytest

from analysis.predictions import margin
from analysis.selection import MarginRange, Selection, select


def test_no_condition_passes_every_case(predictions: pd.DataFrame) -> None:
    assert len(select(predictions, Selection())) == len(predictions)


@pytest.mark.parametrize(
    ("selection", "query"),
    [
        (Selection(diagnosis=("mel",), predicted=("nv",)), "diagnosis == 'mel' and predicted == 'nv'"),
        (Selection(diagnosis=("mel", "nv")), "diagnosis in ['mel', 'nv']"),
        (Selection(correct=False), "not correct"),
        (Selection(correct=True, sex=("female",)), "correct and sex == 'female'"),
        (Selection(confirmation=("histo",), site=("back", "face")), "confirmation == 'histo' and site != 'unknown'"),
        (Selection(confidence=(0.5, 0.8)), "0.5 <= confidence <= 0.8"),
        (Selection(age=(40, 60)), "40 <= age <= 60"),
        (Selection(search="isic_000001"), "'ISIC_0000010' <= image_id <= 'ISIC_0000019'"),
    ],
)
def test_conditions(predictions: pd.DataFrame, selection: Selection, query: str) -> None:
    expected = predictions.query(query)
    assert 0 < len(expected) < len(predictions)
    assert list(select(predictions, selection)["image_id"]) == list(expected["image_id"])


def test_margin_range_is_closed_below_and_open_above(predictions: pd.DataFrame) -> None:
    margins = margin(predictions, "mel", "nv")
    edge = float(sorted(margins)[100])
    above = select(predictions, Selection(margin=MarginRange("mel", "nv", low=edge)))
    below = select(predictions, Selection(margin=MarginRange("mel", "nv", high=edge)))
    assert (len(below), len(above)) == (100, len(predictions) - 100)


def test_search_takes_text_literally(predictions: pd.DataFrame) -> None:
    assert select(predictions, Selection(search="HAM_.*")).empty

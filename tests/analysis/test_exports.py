"""Exports are compared case by case with the original."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from analysis.exports import ORIGINAL, compare_exports, format_rows
from analysis.predictions import PredictionsError
from model.bundle import Card

CARD = Card("a model", "lesion_cnn", ("mel", "nv"), 64, 1.0, (0.1, 0.9))
CASES = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d"],
        "lesion_id": ["1", "2", "3", "4"],
        "diagnosis": ["mel", "mel", "nv", "nv"],
    }
)


def exports(int8: list[float]) -> pd.DataFrame:
    """Logits of mel against 0 for nv, of the original and of a quantised network; both call mel above -2.2."""
    tables = [
        format_rows(CASES, name, np.stack([mel, np.zeros(4)], axis=1).astype(np.float32), CARD)
        for name, mel in ((ORIGINAL, [0.0, -2.0, -3.0, -3.0]), ("onnx-int8", int8))
    ]
    table = pd.concat(tables, ignore_index=True)
    table.attrs = {"bytes": {ORIGINAL: 1000, "onnx-int8": 250}, "milliseconds": {ORIGINAL: 3.0, "onnx-int8": 1.5}}
    return table


def test_cases_are_called_in_proportion_to_the_prior() -> None:
    table = exports([0.0, -2.0, -3.0, -3.0])
    assert list(table["predicted"][:4]) == ["mel", "mel", "nv", "nv"]
    assert list(table["logit_mel"][:4]) == [0, -2, -3, -3]


def test_difference_and_agreement() -> None:
    original, int8 = compare_exports(exports([0.0, -3.0, -3.0, -3.4]))
    assert (original.format, original.bytes, original.balanced_accuracy.value) == (ORIGINAL, 1000, 1)
    assert (original.difference.value, original.difference.low, original.difference.high) == (0, 0, 0)
    assert int8.balanced_accuracy.value == balanced_accuracy_score(CASES["diagnosis"], ["mel", "nv", "nv", "nv"])
    assert int8.difference.value == pytest.approx(-0.25)
    assert int8.difference.low < -0.25 <= int8.difference.high
    assert (int8.bytes, int8.milliseconds, int8.cases, int8.same_call) == (250, 1.5, 4, 0.75)
    assert int8.logit_error == pytest.approx((1.0 + 0.4) / 8)


def test_what_loses_little_may_serve() -> None:
    assert not compare_exports(exports([0.0, -3.0, -3.0, -3.0]))[1].serves
    assert compare_exports(exports([0.5, -2.0, -3.0, -3.0]))[1].serves


def test_other_cases_are_refused() -> None:
    table = exports([0.0, -2.0, -3.0, -3.0])
    with pytest.raises(PredictionsError, match="onnx-int8 was not measured on the cases of the original"):
        compare_exports(pd.concat([table[:4], table[4:][::-1]]))

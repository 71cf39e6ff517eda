"""The matrix equals scikit-learn's in all three normalisations."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix as reference

from analysis.confusion import Confusion, Normalisation, confusion_matrix, largest_confusions, normalise
from model.classes import CODES


@pytest.mark.parametrize(("ours", "theirs"), [("counts", None), ("row", "true"), ("column", "pred")])
def test_matrix_equals_scikit_learn(predictions: pd.DataFrame, ours: Normalisation, theirs: str | None) -> None:
    expected = reference(predictions["diagnosis"], predictions["predicted"], labels=CODES, normalize=theirs)
    np.testing.assert_allclose(normalise(confusion_matrix(predictions, CODES), ours), expected, atol=1e-12)


def test_a_share_of_nothing_is_not_a_number() -> None:
    matrix = np.array([[2, 0], [0, 0]])
    np.testing.assert_array_equal(normalise(matrix, "row"), [[1, 0], [np.nan, np.nan]])
    np.testing.assert_array_equal(normalise(matrix, "column"), [[1, np.nan], [0, np.nan]])


def test_largest_confusions_leave_out_the_diagonal_and_empty_cells() -> None:
    matrix = np.array([[9, 1, 0], [4, 6, 0], [0, 0, 5]])
    expected = [Confusion("b", "a", 4, 0.4), Confusion("a", "b", 1, 0.1)]
    assert largest_confusions(matrix, ["a", "b", "c"]) == expected

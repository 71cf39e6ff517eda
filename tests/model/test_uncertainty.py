import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import mutual_info_score

from model.uncertainty import Disagreement, entropy, mutual_information


def test_entropy_of_hand_computed_cases() -> None:
    assert entropy(np.array([1.0, 0.0, 0.0])) == 0
    assert entropy(np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert entropy(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5 * np.log(2))
    assert entropy(np.full(7, 1 / 7)) == pytest.approx(np.log(7))


def test_entropy_is_scipy_s_row_by_row() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(7), 5)
    np.testing.assert_allclose(entropy(probabilities), scipy_entropy(probabilities, axis=1))


def test_members_that_say_the_same_do_not_disagree_however_unsure() -> None:
    assert mutual_information(np.array([[0.5, 0.5], [0.5, 0.5]])) == 0
    assert mutual_information(np.array([[0.9, 0.1], [0.9, 0.1]])) == 0


def test_members_that_are_sure_of_different_classes_disagree_as_far_as_two_can() -> None:
    assert mutual_information(np.array([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(np.log(2))


def test_mutual_information_is_that_of_class_and_member() -> None:
    """Of counts (members, classes), as scikit-learn computes it."""
    counts = np.array([[6, 3, 1], [1, 8, 1]])
    members, classes = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    assert mutual_information(counts / 10) == pytest.approx(mutual_info_score(members, classes))


def test_it_is_computed_case_by_case() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), (5, 4))
    each = [float(mutual_information(probabilities[:, case])) for case in range(4)]
    np.testing.assert_allclose(mutual_information(probabilities), each)


def test_dissenters_call_another_class() -> None:
    assert Disagreement(0.1, ("mel", "nv", "mel", "bkl", "mel")).dissenters("mel") == 2

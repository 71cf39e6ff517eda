import numpy as np
import pytest

from analysis.localisation import background_to_lesion, border_share, inside_mask, localisation, pointing

MASK = np.array([[True, True], [False, False]])


def values(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_the_share_in_the_mask_is_of_what_is_positive() -> None:
    assert inside_mask(values([3, 0], [1, -8]), MASK) == pytest.approx(3 / 4)


def test_the_largest_value_points() -> None:
    assert pointing(values([3, 0], [1, -8]), MASK) == 1
    assert pointing(values([3, 0], [4, -8]), MASK) == 0


def test_of_several_largest_values_it_is_the_share_in_the_mask() -> None:
    assert pointing(values([3, 0], [3, 3]), MASK) == pytest.approx(1 / 3)


def test_the_ratio_is_of_means_over_pixels() -> None:
    mask = np.array([[True, False], [False, False]])
    assert background_to_lesion(values([6, 1], [2, -5]), mask) == pytest.approx(1 / 6)


def test_the_ratio_of_a_map_that_lies_wholly_off_the_lesion_is_infinite() -> None:
    found = localisation(values([-1, 0], [3, 1]), MASK)
    assert found["background_to_lesion"] == np.inf
    assert found["inside_mask"] == found["pointing"] == 0


def test_the_border_of_a_constant_map_holds_its_share_of_the_pixels() -> None:
    assert border_share(np.ones((20, 20), np.float32)) == pytest.approx(0.36)
    inner = np.zeros((20, 20), np.float32)
    inner[2:18, 2:18] = 1
    assert border_share(inner) == 0


def test_a_constant_map_has_the_lesion_s_share_inside() -> None:
    found = localisation(np.ones((2, 2), np.float32), MASK)
    assert found["inside_mask"] == found["pointing"] == found["lesion_share"] == 1 / 2
    assert found["background_to_lesion"] == 1


def test_what_is_not_defined_is_not_a_number() -> None:
    negative = localisation(-np.ones((2, 2), np.float32), MASK)
    assert {name for name, value in negative.items() if np.isnan(value)} == set(negative) - {"lesion_share"}
    for mask in (np.ones((2, 2), bool), np.zeros((2, 2), bool)):
        assert np.isnan(background_to_lesion(np.ones((2, 2), np.float32), mask))

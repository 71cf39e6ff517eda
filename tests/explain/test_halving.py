import numpy as np
import pytest

from explain.halving import CELLS, DIVISIBLE, RECTANGLE, RECTANGLES, WAVELETS, Unevenness, halves
from tests.explain.exact_owen import exact_owen_values


def test_halves_make_up_their_rectangle_and_the_last_are_the_cells() -> None:
    for number in range(DIVISIBLE):
        count = np.zeros((CELLS, CELLS), int)
        count[RECTANGLE[number]] -= 1
        for half in halves(number):
            count[RECTANGLE[half]] += 1
        assert not count.any()
    cells = {(rows.start, columns.start) for rows, columns in RECTANGLE[DIVISIBLE:]}
    assert len(cells) == RECTANGLES - DIVISIBLE == CELLS**2


def test_the_image_is_divided_into_an_upper_and_a_lower_half_and_these_into_left_and_right() -> None:
    upper, lower = halves(0)
    assert RECTANGLE[upper] == (slice(0, 8), slice(0, 16))
    assert RECTANGLE[lower] == (slice(8, 16), slice(0, 16))
    assert RECTANGLE[halves(lower)[0]] == (slice(8, 16), slice(0, 8))


def test_a_wavelet_takes_from_one_half_what_it_gives_to_the_other() -> None:
    np.testing.assert_allclose(WAVELETS.sum(axis=1), 0)
    np.testing.assert_allclose(np.abs(WAVELETS).sum(axis=1), 2)
    products = WAVELETS @ WAVELETS.T
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-12)


def divided(*differences: float) -> Unevenness:
    """The first rectangles, divided in all contexts."""
    unevenness = Unevenness()
    for number, difference in enumerate(differences):
        for _ in range(4):
            unevenness.add(number, 0.25, difference)
    return unevenness


def test_nothing_is_unknown_of_what_is_divided_in_all_contexts() -> None:
    deviations = divided(1, 2, 4).deviations(np.ones((CELLS, CELLS)))
    assert not deviations[:3].any()
    assert deviations[3:].any(axis=1).all()


def test_a_rectangle_that_is_divided_in_part_is_as_uneven_as_there_and_as_its_level() -> None:
    unevenness = divided(1, 6)
    unevenness.add(2, 0.25, 8)
    deviations = unevenness.deviations(np.zeros((CELLS, CELLS)))
    of_level = (3**2 + 0.25 * 4**2) / 1.25
    left, right = (RECTANGLE[half] for half in halves(2))
    expected = np.zeros((CELLS, CELLS))
    expected[left] = 0.75 * np.sqrt(0.25 * 4**2 + 0.75 * of_level) / 64
    expected[right] = -expected[left]
    np.testing.assert_allclose(deviations[2], expected.ravel())


def test_below_halves_share_as_unevenly_as_above() -> None:
    values = np.full((CELLS, CELLS), 4 / CELLS**2)
    deviations = divided(2).deviations(values)  # halves of 3 and 1: a fifth of their squares is uneven
    np.testing.assert_allclose(deviations[1], WAVELETS[1] * 0.5 / np.sqrt(0.8))
    np.testing.assert_allclose(deviations[4], WAVELETS[4] * (0.5 / np.sqrt(0.8)) ** 2)


def test_levels_that_shared_differently_count_alike_below() -> None:
    values = np.full((CELLS, CELLS), 4 / CELLS**2)
    deviations = divided(2, 0, 0).deviations(values)  # a fifth of the squares is uneven, then nothing: a tenth
    even_square = 1**2 / 4  # of the credit of 2 that halves have, a quarter each
    np.testing.assert_allclose(deviations[3], WAVELETS[3] * np.sqrt(even_square * 0.1 / 0.9))


@pytest.mark.parametrize(("value", "difference"), [(0, 0), (1, 0), (0, 1)])
def test_what_says_nothing_or_everything_leaves_finite_deviations(value: float, difference: float) -> None:
    deviations = divided(difference).deviations(np.full((CELLS, CELLS), value / CELLS**2))
    assert np.isfinite(deviations).all()
    assert deviations.any() == bool(difference)


def test_exact_values_of_sums_and_products_are_those_of_the_definition() -> None:
    weights = np.random.default_rng(0).normal(size=CELLS**2)
    np.testing.assert_allclose(exact_owen_values(lambda shown: shown @ weights), weights, atol=1e-9)
    expected = np.zeros(CELLS**2)
    expected[[3, 20, 200]] = 0.25, 0.25, 0.5  # two above and one below: their Shapley values would be thirds
    product = exact_owen_values(lambda shown: shown[:, [3, 20, 200]].all(axis=1).astype(np.float64))
    np.testing.assert_allclose(product, expected, atol=1e-12)

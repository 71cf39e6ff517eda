import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from explain import explain
from explain.methods import METHODS
from tests.explain.linear import SIZE, QuadrantPredictor, noise

CONTROLS = [code for code, method in METHODS.items() if method.control]


def test_no_control_asks_the_network_or_takes_a_side() -> None:
    assert CONTROLS == ["random", "gaussian", "edges"]
    for method in CONTROLS:
        predictor = QuadrantPredictor()
        result = explain(noise(), predictor, method, "mel", "nv")
        assert (predictor.images, result.evaluations, result.converged) == (0, 0, None)
        assert result.values.dtype == np.float32
        assert result.values.min() >= 0
        assert result.values.max() <= 1
        assert_array_equal(result.values, explain(noise(), predictor, method, "akiec").values)


def test_the_random_map_is_the_seed_s_and_the_image_s() -> None:
    def values(image: NDArray[np.uint8], seed: int) -> NDArray[np.float32]:
        return explain(image, QuadrantPredictor(), "random", "mel", seed=seed).values

    one = values(noise(), 1)
    assert one.shape == (8, 8)
    assert_array_equal(one, values(noise(), 1))
    for other in (values(noise(), 2), values(255 - noise(), 1)):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.5


def test_the_gaussian_is_round_and_in_the_middle() -> None:
    values = explain(noise(), QuadrantPredictor(), "gaussian", "mel").values
    assert values.shape == (SIZE, SIZE)
    assert_array_equal(values, np.flip(values))
    assert_array_equal(values, values.T)
    assert values.max() == values[16, 16]
    assert_allclose(values[16, 24] / values[16, 16], np.exp(-(8.5**2 - 0.5**2) / (2 * 8**2)), rtol=1e-5)


def test_edges_are_where_the_brightness_changes() -> None:
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[:, 16:] = 255
    values = explain(image, QuadrantPredictor(), "edges", "mel").values
    assert values[:, 15:17].min() > 0.5
    assert values[:, :14].max() == values[:, 18:].max() == 0

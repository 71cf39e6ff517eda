from dataclasses import replace

import numpy as np
import pytest

from analysis.region_values import has_regions, region_values
from explain import explain
from explain.methods import METHODS
from explain.regions import superpixels
from tests.explain.attributions import attribution
from tests.explain.linear import SIZE, QuadrantPredictor, noise


@pytest.mark.parametrize("method", ["lime", "shap_superpixels", "occlusion"])
def test_a_superpixel_has_the_value_and_the_interval_that_the_method_found(method: str) -> None:
    image = noise()
    found = explain(image, QuadrantPredictor(), method, "mel")
    by_region = region_values(found, image)
    assert by_region.own
    np.testing.assert_array_equal(by_region.regions, superpixels(image))
    np.testing.assert_allclose(by_region.values[by_region.regions], found.values, atol=1e-6)
    if found.interval is None:
        assert by_region.half_widths is None
    else:
        assert by_region.half_widths is not None
        np.testing.assert_allclose(by_region.half_widths[by_region.regions], found.interval, atol=1e-6)


def test_shap_s_cells_are_its_regions() -> None:
    cells = attribution([[1.0, -2.0], [0.0, 3.0]], method="shap")
    found = region_values(cells, noise())
    assert found.regions.tolist() == [[0, 1], [2, 3]]
    assert found.values.tolist() == [1, -2, 0, 3]
    assert found.shares.tolist() == [0.25] * 4
    assert found.places == ["upper left", "upper right", "lower left", "lower right"]


def test_a_field_has_the_means_over_superpixels_with_intervals_that_are_wide_enough() -> None:
    image = noise()
    random = np.random.default_rng(0)
    samples = random.normal(size=(400, SIZE, SIZE)).astype(np.float32)
    field = replace(attribution(samples.mean(axis=0), method="rise"), interval=1.96 * samples.std(axis=0) / 20)
    found = region_values(field, image)
    assert not found.own
    regions = superpixels(image)
    assert found.values[3] == pytest.approx(field.values[regions == 3].mean(), abs=1e-6)
    of_the_mean = 1.96 * samples[:, regions == 3].mean(axis=1).std() / 20
    assert found.half_widths is not None
    assert found.half_widths[3] >= of_the_mean


def test_methods_by_region_have_regions_and_no_others() -> None:
    assert [code for code in METHODS if has_regions(code)] == ["shap", "shap_superpixels", "lime", "occlusion"]


def test_the_middle_of_the_picture_is_its_centre() -> None:
    places = region_values(attribution(np.eye(3), method="shap"), noise()).places
    assert places[4] == "middle centre"
    assert places[3] == "middle left"

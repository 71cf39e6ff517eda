from dataclasses import replace

import numpy as np
import pytest

from analysis.agreement import agreement, region_means
from explain.regions import superpixels
from tests.explain.attributions import attribution
from tests.explain.linear import SIZE, noise


def test_the_mean_of_every_region() -> None:
    regions = np.array([[0, 0], [1, 2]])
    np.testing.assert_allclose(region_means(np.array([[1, 3], [5, -7]], np.float32), regions), [2, 5, -7])


def test_methods_agree_where_they_rank_the_superpixels_alike_at_any_resolution() -> None:
    image = noise()
    values = np.random.default_rng(0).normal(size=(SIZE, SIZE)).astype(np.float32)
    by_region = region_means(values, superpixels(image)).astype(np.float32)[superpixels(image)]
    doubled = np.repeat(np.repeat(values, 2, 0), 2, 1)
    maps = {"pixels": values, "regions": 10 * by_region + 3, "against": -values, "fine": doubled}
    table = agreement({name: replace(attribution([[0.0]]), values=one) for name, one in maps.items()}, image)
    assert list(table.index) == list(table.columns) == list(maps)
    assert table.loc["pixels", "regions"] == pytest.approx(1)
    assert table.loc["against", "pixels"] == pytest.approx(-1)
    assert table.loc["pixels", "fine"] == pytest.approx(1)

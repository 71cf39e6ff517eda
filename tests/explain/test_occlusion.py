import numpy as np

from explain import explain
from explain.attribution import Progress
from explain.baseline import blurred
from explain.regions import superpixels
from tests.explain.linear import QUADRANTS, SIZE, QuadrantPredictor, noise


def test_a_region_is_worth_what_the_score_loses_without_it() -> None:
    image, segments = noise(), superpixels(noise())
    result = explain(image, QuadrantPredictor(), "occlusion", "mel")
    for region in range(segments.max() + 1):
        hidden = np.where((segments == region)[..., np.newaxis], blurred(image), image)
        lost = (image.astype(float) - hidden)[QUADRANTS["mel"]].mean() / 255
        np.testing.assert_allclose(result.values[segments == region], lost, atol=1e-6)


def test_it_is_exact_and_says_so() -> None:
    predictor = QuadrantPredictor()
    told: list[Progress] = []
    result = explain(noise(), predictor, "occlusion", "mel", "nv", on_progress=told.append)
    assert result.converged is True
    assert result.evaluations == predictor.images == superpixels(noise()).max() + 2 == told[-1].total


def test_a_region_that_was_not_hidden_yet_has_no_value() -> None:
    told: list[Progress] = []
    explain(noise(), QuadrantPredictor(), "occlusion", "mel", on_progress=told.append, should_stop=lambda: True)
    partial = told[-1].partial
    assert partial is not None
    assert partial.evaluations == 8
    assert not partial.values[superpixels(noise()) >= 7].any()
    assert partial.values.shape == (SIZE, SIZE)

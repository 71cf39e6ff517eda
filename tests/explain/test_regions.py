from pathlib import Path

import numpy as np
import pytest

from explain.attribution import Target
from explain.baseline import blurred
from explain.method import Question
from explain.methods import METHODS
from explain.regions import SEGMENTS, RegionScores, superpixels
from model.images import decode, prepare
from tests.explain.linear import QuadrantPredictor, noise


def test_superpixels_are_numbered_without_gaps_and_repeat(originals: list[Path]) -> None:
    for path in originals[:5]:
        image = prepare(decode(path), 160)
        segments = superpixels(image)
        assert np.unique(segments).tolist() == list(range(segments.max() + 1))
        assert SEGMENTS / 2 <= segments.max() + 1 <= 1.5 * SEGMENTS
        np.testing.assert_array_equal(segments, superpixels(image.copy()))


@pytest.mark.parametrize("method", ["lime", "shap_superpixels", "occlusion"])
def test_methods_that_ask_by_superpixel_ask_about_the_same_ones(method: str) -> None:
    image = noise()
    *_, last = METHODS[method].estimates(Question(image, QuadrantPredictor(), Target("mel")))
    for region in range(superpixels(image).max() + 1):
        assert np.ptp(last.values[superpixels(image) == region]) == 0


def test_a_choice_of_regions_is_scored_as_the_image_there_and_the_blur_elsewhere_and_only_once() -> None:
    image, predictor = noise(), QuadrantPredictor()
    regions = np.arange(32)[:, np.newaxis] // 16 * 2 + np.arange(32) // 16
    scores = RegionScores(Question(image, predictor, Target("mel", "nv")), regions)
    assert scores.count == 4
    hidden = blurred(image)
    mel, nv, mel_hidden, nv_hidden = (
        picture[16:, columns].mean() / 255 for picture in (image, hidden) for columns in (slice(16), slice(16, 32))
    )
    asked = np.array([[1, 1, 1, 1], [0, 0, 1, 0], [0, 0, 1, 0], [1, 0, 1, 0]], bool)
    np.testing.assert_allclose(scores(asked), [mel - nv, *[mel - nv_hidden] * 3], atol=1e-6)
    np.testing.assert_allclose(scores.extremes, [mel_hidden - nv_hidden, mel - nv], atol=1e-6)
    assert scores.evaluations == predictor.images == 4

import numpy as np
import pytest

from explain import explain
from explain.attribution import Target
from explain.baseline import blurred
from explain.method import Question
from explain.rise import random_masks_gains, smooth_mask
from model.prediction import Outputs
from tests.explain.linear import QUADRANTS, SIZE, QuadrantPredictor, noise


class Remembering(QuadrantPredictor):
    """Keeps what was scored."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def run(self, images: np.ndarray) -> Outputs:
        self.seen += list(images)
        return super().run(images)


def test_it_is_the_published_weighted_mean_less_the_mean_score() -> None:
    image, predictor = noise(), Remembering()
    estimates = random_masks_gains(Question(image, predictor, Target("mel", "nv")))
    next(estimates)
    second = next(estimates)
    difference = image[..., 0].astype(float) - blurred(image)[..., 0]
    told = np.abs(difference) > 20  # where what is seen gives the mask away
    shown = np.stack([(seen[..., 0] - blurred(image)[..., 0].astype(float))[told] for seen in predictor.seen])
    masks = shown / difference[told]
    scores = predictor.logits(np.stack(predictor.seen[:16])) @ Target("mel", "nv").weights(
        predictor.bundle.card.classes
    )
    published = scores @ masks / masks.sum(axis=0)
    assert second.evaluations == 16
    np.testing.assert_allclose(second.values[told], published - scores.mean(), atol=1e-4)


def test_what_counts_is_found_where_it_is() -> None:
    image = np.full((SIZE, SIZE, 3), 60, np.uint8)
    image[20:28, 4:12] = 250
    values = explain(image, QuadrantPredictor(), "rise", "mel").values
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert 18 <= row < 30
    assert 2 <= column < 14


def test_an_interval_is_196_standard_errors_of_the_mean_over_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explain.rise.SAMPLES", 400)
    ends = [explain(noise(), QuadrantPredictor(), "rise", "mel", seed=seed) for seed in range(12)]
    spread = np.std([end.values for end in ends], axis=0, ddof=1)
    interval = np.mean([end.interval for end in ends if end.interval is not None], axis=0)
    assert interval.shape == (SIZE, SIZE)
    assert np.median(interval / spread) == pytest.approx(1.96, rel=0.25)


def test_a_mask_is_a_grid_made_smooth_and_shows_half_of_the_image_on_average() -> None:
    random = np.random.default_rng(0)
    masks = np.stack([smooth_mask(SIZE, random) for _ in range(400)])
    assert masks.shape == (400, SIZE, SIZE)
    assert (masks.min(), masks.max()) == (0, 1)
    assert np.abs(np.diff(masks, axis=1)).max() <= 0.26
    np.testing.assert_allclose(masks.mean(axis=0), 0.5, atol=0.12)


def test_a_uniform_image_has_nothing_to_explain() -> None:
    uniform = np.full((64, 64, 3), 120, np.uint8)
    result = explain(uniform, QuadrantPredictor(), "rise", "mel")
    assert not result.values.any()
    assert result.converged is True


def test_quadrants_are_told_apart() -> None:
    values = explain(noise(), QuadrantPredictor(), "rise", "nv", "akiec").values
    assert values[QUADRANTS["nv"]].mean() > values[QUADRANTS["mel"]].mean()

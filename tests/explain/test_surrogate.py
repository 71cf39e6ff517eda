from pathlib import Path

import numpy as np
import pytest

from explain import explain
from explain.attribution import Attribution, Progress, Target
from explain.baseline import blurred
from explain.surrogate import SAMPLES, superpixels
from model.images import decode, prepare
from model.prediction import Predictor
from tests.explain.linear import SIZE, QuadrantPredictor, noise


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(
    predictor: Predictor, originals: list[Path]
) -> None:
    image = decode(originals[4])

    def lime_of_200_samples(seed: int) -> Attribution:
        told: list[Progress] = []
        return explain(
            image,
            predictor,
            "lime",
            "mel",
            "nv",
            seed=seed,
            on_progress=told.append,
            should_stop=lambda: told[-1].done >= 200,
        )

    first, again, other = (lime_of_200_samples(seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.values, again.values)
    assert first.parameters == again.parameters
    assert not np.array_equal(first.values, other.values)


def test_equal_to_limes_own_loop() -> None:
    from lime.lime_image import LimeImageExplainer

    image, predictor = noise(), QuadrantPredictor()
    weights = Target("mel", "nv").weights(predictor.bundle.card.classes)
    reference = LimeImageExplainer(feature_selection="none", random_state=5).explain_instance(
        image,
        lambda images: (predictor.logits(images) @ weights)[:, np.newaxis],
        labels=(0,),
        top_labels=None,
        hide_color=blurred(image),
        num_samples=SAMPLES,
        segmentation_fn=superpixels,
        random_seed=0,
    )
    expected = np.zeros((SIZE, SIZE))
    for segment, weight in reference.local_exp[0]:
        expected[reference.segments == segment] = weight
    ours = explain(image, predictor, "lime", "mel", "nv", seed=5)
    np.testing.assert_allclose(ours.values, expected, rtol=1e-4, atol=1e-6)
    assert ours.parameters["local_fidelity"] == pytest.approx(reference.score)
    assert ours.parameters["segments"] == len(np.unique(reference.segments))


def test_a_linear_network_is_recovered() -> None:
    image = noise()
    segments = superpixels(image)
    share = np.zeros((SIZE, SIZE))
    share[SIZE // 2 :, : SIZE // 2] = 1 / (SIZE // 2) ** 2
    effect = share * (image.astype(np.float64) - blurred(image)).mean(axis=2) / 255
    expected = np.bincount(segments.ravel(), effect.ravel())[segments]
    result = explain(image, QuadrantPredictor(), "lime", "mel")
    np.testing.assert_allclose(result.values, expected, atol=0.02 * np.abs(expected).max())
    assert result.parameters["local_fidelity"] == pytest.approx(1, abs=0.01)


def test_evaluations_count_the_images_that_went_through_the_network() -> None:
    predictor = QuadrantPredictor()
    result = explain(noise(), predictor, "lime", "mel")
    assert result.evaluations == predictor.images == SAMPLES
    assert predictor.largest_batch <= 32


def test_superpixels_are_numbered_without_gaps_and_repeat(originals: list[Path]) -> None:
    for path in originals[:5]:
        image = prepare(decode(path), 160)
        segments = superpixels(image)
        assert np.unique(segments).tolist() == list(range(segments.max() + 1))
        assert 30 <= segments.max() + 1 <= 60
        np.testing.assert_array_equal(segments, superpixels(image))


def test_a_uniform_image_has_nothing_to_explain() -> None:
    uniform = np.full((64, 64, 3), 120, np.uint8)
    np.testing.assert_allclose(explain(uniform, QuadrantPredictor(), "lime", "mel").values, 0, atol=1e-6)

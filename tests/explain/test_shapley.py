from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from explain import explain
from explain.attribution import Attribution, Progress
from explain.baseline import blurred
from explain.shapley import CELLS, EVALUATIONS
from model.images import decode, prepare
from model.prediction import Predictor
from tests.explain.linear import QUADRANTS, QuadrantPredictor, noise


def shap_of_noise() -> Attribution:
    return explain(noise(), QuadrantPredictor(), "shap", "mel", "nv")


def test_a_linear_network_gives_each_quadrant_its_own_share() -> None:
    image = noise()
    difference = (image.astype(np.float64) - blurred(image)) / 255
    values = shap_of_noise().values
    half = CELLS // 2
    expected = {
        "akiec": 0.0,
        "bcc": 0.0,
        "mel": difference[QUADRANTS["mel"]].mean(),
        "nv": -difference[QUADRANTS["nv"]].mean(),
    }
    found = [values[:half, :half], values[:half, half:], values[half:, :half], values[half:, half:]]
    np.testing.assert_allclose([quadrant.sum() for quadrant in found], list(expected.values()), atol=1e-4)


def test_values_add_up_to_the_scores_difference(predictor: Predictor, originals: list[Path]) -> None:
    image = decode(originals[3])
    partial: list[Attribution] = []

    def keep(progress: Progress) -> None:
        if progress.partial is not None:
            partial.append(progress.partial)

    result = explain(image, predictor, "shap", "mel", "nv", on_progress=keep)
    prepared = prepare(image, predictor.bundle.card.size)
    of_image, of_baseline = predictor.logits(np.stack([prepared, blurred(prepared)])) @ result.target.weights(
        predictor.bundle.card.classes
    )
    assert len(partial) > 10
    for attribution in (*partial, result):
        assert attribution.values.sum() == pytest.approx(of_image - of_baseline, abs=1e-2)
    assert result.parameters["score"] == pytest.approx(of_image, abs=1e-3)
    assert result.parameters["baseline_score"] == pytest.approx(of_baseline, abs=1e-3)


def test_evaluations_count_the_images_that_went_through_the_network() -> None:
    predictor = QuadrantPredictor()
    result = explain(noise(), predictor, "shap", "mel")
    assert result.evaluations == predictor.images <= EVALUATIONS
    assert predictor.largest_batch <= 32


def test_equal_to_one_run_of_shap_with_the_whole_budget() -> None:
    import shap

    image = noise()
    baseline = blurred(image)
    predictor = QuadrantPredictor()

    def score(shown: np.ndarray) -> np.ndarray:
        masks = shown.repeat(2, axis=1).repeat(2, axis=2).astype(bool)
        return predictor.logits(np.where(masks, image, baseline)) @ np.array([0, 0, 1, -1], np.float32)

    explainer = shap.PartitionExplainer(score, shap.maskers.Image(np.zeros((CELLS, CELLS, 1), np.uint8)))
    expected = explainer(np.ones((1, CELLS, CELLS, 1), np.uint8), max_evals=EVALUATIONS, batch_size=16, silent=True)
    np.testing.assert_allclose(shap_of_noise().values, expected.values[0, ..., 0], atol=1e-6)


def shap_of_ties(seed: int) -> Attribution:
    """Explain a pattern of equal blocks: which of them shap refines first is left to chance."""
    pattern = np.tile(np.random.default_rng(0).integers(0, 255, (8, 8, 1), np.uint8), (4, 4, 3))
    return explain(pattern, QuadrantPredictor(), "shap", "mel", "nv", seed=seed)


def test_the_same_seed_gives_the_same_bits_also_in_parallel_and_another_does_not() -> None:
    alone = [shap_of_ties(seed).values for seed in range(3)]
    with ThreadPoolExecutor(3) as threads:
        together = [attribution.values for attribution in threads.map(shap_of_ties, range(3))]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(alone[0], alone[1])


def test_numpys_global_generator_is_left_as_it_was() -> None:
    np.random.seed(7)
    expected = np.random.rand(3).tolist()
    np.random.seed(7)
    shap_of_noise()
    assert np.random.rand(3).tolist() == expected


def test_a_uniform_image_has_nothing_to_explain() -> None:
    uniform = np.full((64, 64, 3), 120, np.uint8)
    result = explain(uniform, QuadrantPredictor(), "shap", "mel")
    assert not result.values.any()

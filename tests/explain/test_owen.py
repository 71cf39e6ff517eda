from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from explain import explain
from explain.attribution import Attribution, Progress, Target
from explain.baseline import blurred
from explain.halving import CELLS
from explain.method import Question
from explain.owen import EVALUATIONS, Scores, cell_shares, grid, library_values, owen_values, owen_walk
from explain.regions import RegionScores, superpixels
from explain.settling import half_widths
from model.images import decode, prepare
from model.prediction import Predictor
from tests.explain.exact_owen import exact_owen_values
from tests.explain.linear import CLASSES, QUADRANTS, SIZE, QuadrantPredictor, noise


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


def test_the_first_map_takes_two_halves_and_no_library() -> None:
    told: list[Progress] = []
    explain(noise(), QuadrantPredictor(), "shap", "mel", on_progress=told.append, should_stop=lambda: True)
    assert told[-1].done == 4


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


def test_equal_to_shap_on_ten_images(predictor: Predictor, originals: list[Path]) -> None:
    for path, evaluations in zip(originals[:10], [EVALUATIONS, *[60] * 9], strict=True):  # for time
        image = prepare(decode(path), predictor.bundle.card.size)
        scores = RegionScores(Question(image, predictor, Target("mel", "nv")), grid(len(image)))
        *_, ours = owen_walk(scores, evaluations, seed=2)
        np.testing.assert_allclose(ours.values, library_values(scores, evaluations, seed=2), atol=1e-9)
        assert scores.evaluations == evaluations  # both asked about the same choices of cells


def test_the_library_is_there_for_reference() -> None:
    reference = explain(noise(), QuadrantPredictor(), "shap", "mel", "nv", library=True)
    *_, ours = owen_values(Question(noise(), QuadrantPredictor(), Target("mel", "nv")))
    np.testing.assert_allclose(ours.values, reference.values, atol=1e-6)
    assert reference.evaluations == ours.evaluations


def test_ties_are_broken_as_shap_breaks_them() -> None:
    reference = explain(ties(), QuadrantPredictor(), "shap", "mel", "nv", seed=1, library=True)
    np.testing.assert_allclose(shap_of_ties(1), reference.values, atol=1e-6)


def ties() -> NDArray[np.uint8]:
    """A pattern of equal blocks: which of them is halved first is left to chance."""
    return np.tile(np.random.default_rng(0).integers(0, 255, (8, 8, 1), np.uint8), (4, 4, 3))


def shap_of_ties(seed: int) -> NDArray[np.float32]:
    *_, last = owen_values(Question(ties(), QuadrantPredictor(), Target("mel", "nv"), seed))
    return last.values


def test_the_same_seed_gives_the_same_bits_also_in_parallel_and_another_does_not() -> None:
    alone = [shap_of_ties(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as threads:
        together = [*threads.map(shap_of_ties, range(3))]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(alone[0], alone[1])


def test_numpys_global_generator_is_left_as_it_was() -> None:
    np.random.seed(7)
    expected = np.random.rand(3).tolist()
    np.random.seed(7)
    explain(noise(), QuadrantPredictor(), "shap", "mel", library=True)
    assert np.random.rand(3).tolist() == expected


class RampPredictor(QuadrantPredictor):
    """The logit of mel is how much of a fine pattern shows, what lies below or right counting more, with some noise."""

    def logits(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        rows, columns = np.indices((SIZE, SIZE)) / SIZE
        ramp = 1 + rows + 0.3 * columns + np.random.default_rng(0).normal(0, 0.2, (SIZE, SIZE))
        shown = np.abs(images.astype(np.float64) - 127.5).mean(axis=3)
        logits = np.zeros((len(images), len(CLASSES)), np.float32)
        logits[:, CLASSES.index("mel")] = 10 * np.tanh((shown * ramp).mean(axis=(1, 2)) / 300)
        return logits


def test_it_stops_by_itself_once_the_superpixels_are_in_the_order_of_their_owen_values() -> None:
    image = np.repeat((np.indices((SIZE, SIZE)).sum(axis=0) % 2 * 255)[..., np.newaxis], 3, axis=2).astype(np.uint8)
    result = explain(image, RampPredictor(), "shap", "mel")
    assert result.converged
    assert result.evaluations < EVALUATIONS
    cells = grid(SIZE)
    means = cell_shares(cells, superpixels(image))
    exact = exact_owen_values(RegionScores(Question(image, RampPredictor(), Target("mel")), cells))
    assert np.abs(result.values.ravel() - exact).max() > 0.05 * np.ptp(exact)
    assert spearmanr(means @ result.values.ravel(), means @ exact).statistic >= 0.95


def test_it_does_not_stop_while_a_superpixel_s_place_is_open() -> None:
    result = shap_of_noise()
    assert result.evaluations == EVALUATIONS
    assert result.converged is False
    assert result.parameters["rank_stability"] < 0.95


def test_intervals_contain_the_owen_values_of_smooth_scores_and_are_at_most_three_times_too_wide() -> None:
    covered, scaled = [], []
    for seed in range(8):
        score = smooth_score(seed)
        *_, last = owen_walk(score, EVALUATIONS, seed=0)
        error, width = np.abs(last.values.ravel() - exact_owen_values(score)), half_widths(last.deviations)
        covered.append(error <= width)
        scaled.append(error / width)
    assert np.mean(covered) > 0.95
    assert np.sqrt(np.mean(np.square(scaled))) > 0.5 / 3


def test_there_is_no_interval_after_a_few_divisions() -> None:
    estimates = [*owen_values(Question(noise(), QuadrantPredictor(), Target("mel")))]
    assert estimates[0].interval is None
    assert estimates[0].settled is False
    assert estimates[-1].interval is not None
    assert estimates[-1].interval.shape == (CELLS, CELLS)


def smooth_score(seed: int) -> Scores:
    """Eight saturating units, each of a weight that varies slowly over the image."""
    random = np.random.default_rng(seed)
    fields = [gaussian_filter(random.normal(size=(CELLS, CELLS)), sigma=1).ravel() for _ in range(8)]
    units = np.stack([field / np.linalg.norm(field) for field in fields])
    weights = random.normal(size=8)
    return lambda shown: np.tanh(shown @ units.T) @ weights


def test_a_mean_over_a_region_weighs_its_cells_by_their_share() -> None:
    cells = np.kron([[0, 1], [2, 3]], np.ones((2, 2), int))
    regions = np.array([[0, 0, 0, 1], [0, 0, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    shares = cell_shares(cells, regions)[:, :4]
    np.testing.assert_allclose(shares, [[4 / 6, 2 / 6, 0, 0], [0, 0.2, 0.4, 0.4]])


def test_a_uniform_image_has_nothing_to_explain() -> None:
    uniform = np.full((64, 64, 3), 120, np.uint8)
    result = explain(uniform, QuadrantPredictor(), "shap", "mel")
    assert not result.values.any()

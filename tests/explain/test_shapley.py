from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from explain import explain
from explain.attribution import Progress, Target
from explain.baseline import blurred
from explain.method import Question
from explain.numpy_seed import seeded
from explain.regions import RegionScores, superpixels
from explain.settling import sampled_rank_stability, settled
from explain.shapley import coalitions, fit_shapley, shapley_values
from model.images import decode, prepare
from model.prediction import Predictor
from tests.explain.linear import QUADRANTS, SIZE, QuadrantPredictor, noise

PLAYERS = 6
PAYOFFS = np.random.default_rng(0).normal(size=2**PLAYERS)


def game(masks: np.ndarray) -> np.ndarray:
    """A game of six players of which nothing is regular."""
    payoffs: np.ndarray = PAYOFFS[masks @ (1 << np.arange(PLAYERS))]
    return payoffs


def exact() -> np.ndarray:
    """Each player's gain, averaged over all orders of joining: the definition."""
    values = np.zeros(PLAYERS)
    orders = list(permutations(range(PLAYERS)))
    for order in orders:
        joined = np.tril(np.ones((PLAYERS + 1, PLAYERS), int), -1)
        masks = np.zeros((PLAYERS + 1, PLAYERS), int)
        masks[:, list(order)] = joined
        values[list(order)] += np.diff(game(masks))
    return values / len(orders)


def ends() -> tuple[float, float]:
    blank, whole = game(np.array([[0] * PLAYERS, [1] * PLAYERS]))
    return float(blank), float(whole)


def test_all_coalitions_give_the_exact_values_and_shaps() -> None:
    import shap

    numbers = np.arange(1, 2 ** (PLAYERS - 1))  # one of each pair, none of them nothing or everything
    shown = (numbers[:, np.newaxis] >> np.arange(PLAYERS)) % 2 > 0
    masks = np.stack([shown, ~shown], axis=1).reshape(-1, PLAYERS)
    size = masks.sum(axis=1)
    kernel = 1 / (np.array([1, 6, 15, 20, 15, 6, 1])[size] * size * (PLAYERS - size))
    values, _ = fit_shapley(masks, game(masks), *ends(), weights=kernel)
    np.testing.assert_allclose(values, exact(), atol=1e-4)
    explainer = shap.ExactExplainer(lambda data: game(data.astype(int)), np.zeros((1, PLAYERS)))
    np.testing.assert_allclose(values, explainer(np.ones((1, PLAYERS))).values[0], atol=1e-4)


def test_drawn_coalitions_give_the_exact_values_within_their_intervals() -> None:
    held, sizes = [], []
    for seed in range(40):
        masks = coalitions(PLAYERS, 200, seed)
        values, deviations = fit_shapley(masks, game(masks), *ends())
        held.append(np.abs(values - exact()) < 1.96 * np.sqrt((deviations**2).sum(axis=0)))
        sizes.append(np.sqrt((deviations**2).sum(axis=0)).mean())
    assert 0.9 < np.mean(held) <= 1
    assert np.mean(sizes) < 0.2 * np.ptp(exact())


def test_with_the_library_s_coalitions_and_scores_the_values_are_the_library_s_on_ten_images(
    predictor: Predictor, originals: list[Path]
) -> None:
    import shap

    for path in originals[:10]:
        image = prepare(decode(path), predictor.bundle.card.size)
        scores = RegionScores(Question(image, predictor, Target("mel", "nv")), superpixels(image))
        explainer = shap.KernelExplainer(
            lambda choices, scores=scores: scores(choices > 0), np.zeros((1, scores.count))
        )
        with seeded(0):
            theirs = explainer.shap_values(np.ones((1, scores.count)), nsamples=80, l1_reg=False, silent=True)[0]
        masks, kernel = explainer.maskMatrix > 0, explainer.kernelWeights
        if len(masks) % 2:  # a sample without weight fills the last pair
            masks, kernel = np.concatenate([masks, masks[:1]]), np.append(kernel, 0)
        ours, _ = fit_shapley(masks, scores(masks), *scores.extremes, weights=kernel)
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())


def test_the_library_is_there_for_reference() -> None:
    ours = explain(noise(), QuadrantPredictor(), "shap_superpixels", "mel", "nv")
    theirs = explain(noise(), QuadrantPredictor(), "shap_superpixels", "mel", "nv", library=True)
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-4)
    assert theirs.parameters["library"] is True


def test_the_intervals_hold_where_the_settled_ranking_has_ended_the_sampling() -> None:
    held = []
    for seed in range(20):
        masks = coalitions(PLAYERS, 1000, seed)
        for pairs in range(8, 1001, 4):  # as after every batch of a method
            values, deviations = fit_shapley(masks[: 2 * pairs], game(masks[: 2 * pairs]), *ends())
            if settled(sampled_rank_stability(values, deviations), *deviations.shape):
                break
        else:
            pytest.fail("the order of the players never settled")
        held.append(np.abs(values - exact()) < 1.96 * np.sqrt((deviations**2).sum(axis=0)))
    assert np.mean(held) > 0.85


def test_values_add_up_in_every_estimate() -> None:
    image, segments = noise(), superpixels(noise())
    predictor = QuadrantPredictor()
    of_blur, of_image = predictor.logits(np.stack([blurred(image), image]))[:, 2]
    told: list[Progress] = []
    explain(image, predictor, "shap_superpixels", "mel", on_progress=told.append, should_stop=lambda: len(told) > 4)
    for progress in told[1:]:
        assert progress.partial is not None
        regions = [progress.partial.values[segments == region].mean() for region in range(segments.max() + 1)]
        assert sum(regions) == pytest.approx(of_image - of_blur, abs=1e-5)


def test_a_linear_network_gives_each_region_its_own_share_and_then_stops() -> None:
    image, segments = noise(), superpixels(noise())
    share = np.zeros((SIZE, SIZE))
    share[QUADRANTS["mel"]] = 1 / (SIZE // 2) ** 2
    effect = share * (image.astype(float) - blurred(image)).mean(axis=2) / 255
    predictor = QuadrantPredictor()
    result = explain(image, predictor, "shap_superpixels", "mel")
    np.testing.assert_allclose(result.values, np.bincount(segments.ravel(), effect.ravel())[segments], atol=1e-4)
    assert result.converged is True
    assert result.evaluations == predictor.images < 400


def test_coalitions_come_with_their_complements_and_in_the_sizes_of_the_shapley_kernel() -> None:
    masks = coalitions(10, 20_000, seed=0)
    np.testing.assert_array_equal(masks[1::2], ~masks[::2])
    size = np.bincount(masks.sum(axis=1), minlength=11) / len(masks)
    kernel = np.array([1 / (k * (10 - k)) for k in range(1, 10)])
    np.testing.assert_allclose(size[1:10], kernel / kernel.sum(), atol=0.01)
    assert size[0] == size[10] == 0
    np.testing.assert_allclose(masks.mean(axis=0), 0.5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    def third_estimate(seed: int) -> np.ndarray:
        estimates = shapley_values(Question(noise(), QuadrantPredictor(), Target("mel", "nv"), seed))
        return [next(estimates) for _ in range(3)][-1].values

    np.testing.assert_array_equal(third_estimate(3), third_estimate(3))
    assert not np.array_equal(third_estimate(3), third_estimate(4))


def test_a_uniform_image_has_nothing_to_explain() -> None:
    uniform = np.full((64, 64, 3), 120, np.uint8)
    assert not explain(uniform, QuadrantPredictor(), "shap_superpixels", "mel").values.any()


def test_one_superpixel_has_all_of_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explain.shapley.superpixels", lambda image: np.zeros(image.shape[:2], np.intp))
    result = explain(noise(0), QuadrantPredictor(), "shap_superpixels", "mel")
    parameters = result.parameters
    assert np.allclose(result.values, float(str(parameters["score"])) - float(str(parameters["baseline_score"])))
    assert (result.evaluations, result.converged) == (2, True)

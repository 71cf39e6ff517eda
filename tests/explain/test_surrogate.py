from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from explain import explain
from explain.attribution import Progress, Target
from explain.baseline import blurred
from explain.method import Question
from explain.regions import RegionScores, superpixels
from explain.surrogate import KERNEL_WIDTH, SAMPLES, fit_surrogate, lime_weights, paired_masks
from model.images import decode, prepare
from model.prediction import Predictor
from tests.explain.linear import SIZE, QuadrantPredictor, noise

REGIONS = 42


def test_with_the_librarys_masks_and_scores_the_weights_are_the_librarys_on_ten_images(
    predictor: Predictor, originals: list[Path]
) -> None:
    from lime.lime_image import LimeImageExplainer

    for path in originals[:10]:
        image = prepare(decode(path), predictor.bundle.card.size)
        segments = superpixels(image)
        scores = RegionScores(Question(image, predictor, Target("mel", "nv")), segments)
        explainer = LimeImageExplainer(KERNEL_WIDTH, feature_selection="none", random_state=1)
        masks = np.random.RandomState(1).randint(0, 2, 60 * scores.count).reshape(60, -1) > 0
        masks[0] = True
        asked: list[np.ndarray] = []

        def classify(
            images: np.ndarray, masks: np.ndarray = masks, scores: RegionScores = scores, asked: list = asked
        ) -> np.ndarray:
            batch = masks[len(asked) : len(asked) + len(images)]
            asked += list(images)
            return scores(batch)[:, np.newaxis]

        library = explainer.explain_instance(
            image,
            classify,
            labels=(0,),
            top_labels=None,
            hide_color=blurred(image),
            num_samples=60,
            segmentation_fn=lambda image, segments=segments: segments,
            random_seed=0,
        )
        shown = np.where(masks[7][segments][..., np.newaxis], image, blurred(image))
        np.testing.assert_array_equal(asked[7], shown)  # so that what was scored is what the library asked about
        ours = fit_surrogate(masks, scores(masks))
        expected = [weight for _, weight in sorted(library.local_exp[0])]
        np.testing.assert_allclose(ours.coefficients[1:], expected, rtol=1e-6, atol=1e-9)
        assert ours.coefficients[0] == pytest.approx(library.intercept[0])
        assert ours.fidelity == pytest.approx(library.score)


def test_the_library_is_there_for_reference_and_agrees_where_there_is_little_to_sample() -> None:
    image = noise()
    ours = explain(image, QuadrantPredictor(), "lime", "mel", "nv")
    reference = explain(image, QuadrantPredictor(), "lime", "mel", "nv", library=True)
    assert reference.evaluations == SAMPLES
    assert np.corrcoef(ours.values.ravel(), reference.values.ravel())[0, 1] > 0.99
    assert reference.parameters["segments"] == ours.parameters["segments"]


def test_samples_come_with_their_complements_and_show_every_region_half_of_the_time() -> None:
    masks = paired_masks(REGIONS, 500, seed=0)
    assert masks.shape == (1000, REGIONS)
    assert masks[0].all()
    np.testing.assert_array_equal(masks[1::2], ~masks[::2])
    assert len(np.unique(masks, axis=0)) == 1000


def test_in_a_block_no_two_regions_are_shown_together_more_often_than_not() -> None:
    signs = 2.0 * paired_masks(REGIONS, 65, seed=3)[2:] - 1
    np.testing.assert_array_equal(signs.T @ signs, 128 * np.eye(REGIONS))


def test_each_sample_is_distributed_as_limes() -> None:
    sizes = np.concatenate([paired_masks(20, 33, seed)[2:].sum(axis=1) for seed in range(60)])
    assert sizes.mean() == 10
    assert sizes.var() == pytest.approx(20 / 4, rel=0.05)  # the binomial distribution's


def test_fewer_samples_do_than_lime_needs() -> None:
    random = np.random.default_rng(0)
    single, double = random.normal(size=REGIONS), random.normal(size=(REGIONS, REGIONS)) / 4

    def pairs_matter(masks: np.ndarray) -> np.ndarray:
        signs = 2.0 * masks - 1
        return masks @ single + (signs @ double * signs).sum(axis=1)

    def error(masks: np.ndarray) -> float:
        return float(np.abs(fit_surrogate(masks, pairs_matter(masks)).coefficients[1:] - truth).mean())

    drawn = random.random((20_000, REGIONS)) < 0.5
    truth = fit_surrogate(drawn, pairs_matter(drawn)).coefficients[1:]
    ours = np.mean([error(paired_masks(REGIONS, 128, seed)) for seed in range(10)])
    limes = np.mean([error(random.random((1000, REGIONS)) < 0.5) for _ in range(10)])
    assert ours < limes


def test_an_interval_holds_the_value_that_many_samples_have() -> None:
    random = np.random.default_rng(0)
    single, triples = random.normal(size=REGIONS), random.integers(0, REGIONS, (200, 3))

    def score(masks: np.ndarray) -> np.ndarray:
        return masks @ single + (2.0 * masks - 1)[:, triples].prod(axis=2).sum(axis=1) / 5

    many = random.random((20_000, REGIONS)) < 0.5
    truth = fit_surrogate(many, score(many)).coefficients[1:]
    held = []
    for seed in range(20):
        masks = paired_masks(REGIONS, 256, seed)
        fit = fit_surrogate(masks, score(masks))
        held.append(np.abs(fit.coefficients - [0, *truth])[1:] < 1.96 * np.sqrt((fit.deviations**2).sum(axis=0))[1:])
    assert 0.9 < np.mean(held) <= 1


def test_a_linear_network_is_recovered_before_all_samples_are_drawn() -> None:
    image = noise()
    segments = superpixels(image)
    share = np.zeros((SIZE, SIZE))
    share[SIZE // 2 :, : SIZE // 2] = 1 / (SIZE // 2) ** 2
    effect = share * (image.astype(np.float64) - blurred(image)).mean(axis=2) / 255
    expected = np.bincount(segments.ravel(), effect.ravel())[segments]
    result = explain(image, QuadrantPredictor(), "lime", "mel")
    np.testing.assert_allclose(result.values, expected, atol=0.1 * np.abs(expected).max())
    assert spearmanr(np.round(result.values.ravel(), 5), np.round(expected.ravel(), 5)).statistic > 0.9
    assert result.parameters["local_fidelity"] == pytest.approx(1, abs=0.01)
    assert result.interval is not None
    assert result.interval.shape == result.values.shape


def test_it_stops_by_itself_once_the_order_of_the_regions_has_settled() -> None:
    predictor = QuadrantPredictor()
    told: list[Progress] = []
    result = explain(
        np.arange(SIZE**2, dtype=np.uint8).repeat(3).reshape(SIZE, SIZE, 3),
        predictor,
        "lime",
        "mel",
        on_progress=told.append,
    )
    assert result.evaluations == predictor.images == told[-1].done
    assert result.converged is True
    assert result.evaluations < SAMPLES
    assert float(str(result.parameters["rank_stability"])) >= 0.95
    assert predictor.largest_batch <= 16


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(
    predictor: Predictor, originals: list[Path]
) -> None:
    image = prepare(decode(originals[4]), predictor.bundle.card.size)

    def third_estimate(seed: int) -> np.ndarray:
        estimates = lime_weights(Question(image, predictor, Target("mel", "nv"), seed))
        return [next(estimates) for _ in range(3)][-1].values

    np.testing.assert_array_equal(third_estimate(3), third_estimate(3))
    assert not np.array_equal(third_estimate(3), third_estimate(4))


def test_how_samples_are_batched_changes_nothing() -> None:
    question = Question(noise(), QuadrantPredictor(), Target("mel", "nv"))
    estimates = lime_weights(question)
    batched = [next(estimates) for _ in range(4)][-1]
    scores = RegionScores(question, superpixels(question.image))
    masks = paired_masks(scores.count, SAMPLES // 2, question.seed)[: batched.evaluations]
    alone = np.concatenate([scores(mask[np.newaxis]) for mask in masks])
    at_once = fit_surrogate(masks, alone).coefficients[1:].astype(np.float32)
    np.testing.assert_array_equal(batched.values, at_once[scores.regions])


def test_a_uniform_image_has_nothing_to_explain() -> None:
    uniform = np.full((64, 64, 3), 120, np.uint8)
    np.testing.assert_allclose(explain(uniform, QuadrantPredictor(), "lime", "mel").values, 0, atol=1e-6)


def test_a_network_that_always_says_the_same_has_no_weights_at_all() -> None:
    masks = paired_masks(20, 24, seed=0)
    fit = fit_surrogate(masks, np.full(len(masks), 0.1))
    assert not fit.coefficients[1:].any()
    assert (fit.coefficients[0], fit.fidelity) == (0.1, 1)

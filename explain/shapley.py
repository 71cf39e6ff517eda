"""Shapley values of superpixels, by kernel SHAP with paired samples (Lundberg & Lee 2017, Covert & Lee 2021)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from explain.method import BATCH, Estimate, Question
from explain.numpy_seed import seeded
from explain.regions import RegionScores, superpixels
from explain.regression import fit_pairs
from explain.settling import half_widths, sampled_rank_stability, settled
from model.prediction import batches

EVALUATIONS = 2000
TINY = 1e-6  # chooses the smallest values while there are fewer samples than regions, and changes nothing after

Matrix = NDArray[np.float64]


def shapley_values(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by the Shapley values of its superpixels, a hidden one showing the blurred image.

    The values, in logits per region, add up to score(image) - score(baseline) in every estimate.
    """
    scores = RegionScores(question, superpixels(question.image))
    blank, whole = scores.extremes
    if scores.count == 1:
        yield _estimate(scores, np.array([whole - blank]), np.zeros((2, 1)), stability=1.0)
        return
    masks = coalitions(scores.count, (EVALUATIONS - 2) // 2, question.seed)
    results = np.empty(len(masks))
    for batch in batches(len(masks), BATCH):
        results[batch] = scores(masks[batch])
        values, deviations = fit_shapley(masks[: batch.stop], results[: batch.stop], blank, whole)
        yield _estimate(scores, values, deviations, sampled_rank_stability(values, deviations))


def shapley_library(question: Question) -> Iterator[Estimate]:
    """The same by shap's KernelExplainer, with its own coalitions and as many of them: one estimate, at the end.

    Nothing can be seen of it, nor can it be stopped, before then.
    """
    import shap

    scores = RegionScores(question, superpixels(question.image))

    def scored(choices: Matrix) -> Matrix:
        return np.concatenate([scores(choices[batch] > 0) for batch in batches(len(choices), BATCH)])

    explainer = shap.KernelExplainer(scored, np.zeros((1, scores.count)))
    with seeded(question.seed):
        values = explainer.shap_values(np.ones((1, scores.count)), nsamples=EVALUATIONS - 2, l1_reg=False, silent=True)[
            0
        ]
    yield Estimate(values.astype(np.float32)[scores.regions], scores.evaluations, _parameters(scores))


def coalitions(regions: int, pairs: int, seed: int) -> NDArray[np.bool_]:
    """Choices of regions to show, bool (2 · pairs, regions), neither none nor all; row 2i + 1 shows what row 2i hides.

    As many are shown as the Shapley kernel says, k of m with a probability in proportion to 1 / (k (m - k)). With its
    complement (Covert & Lee 2021, arXiv:2012.01536) a choice tells nothing of what regions do two by two, which is
    shared evenly between them whatever it is.
    """
    random = np.random.default_rng(seed)
    sizes = np.arange(1, regions)
    likelihood = 1 / (sizes * (regions - sizes))
    size = random.choice(sizes, (pairs, 1), p=likelihood / likelihood.sum())
    shown = random.random((pairs, regions)).argsort(axis=1) < size
    return np.stack([shown, ~shown], axis=1).reshape(-1, regions)


def fit_shapley(
    masks: NDArray[np.bool_], scores: Matrix, blank: float, whole: float, weights: Matrix | None = None
) -> tuple[Matrix, Matrix]:
    """Values (regions,) and their `regression.Fit.deviations`, from `scores` (n,) of `masks`, bool (n, regions).

    Least squares under the condition that the values add up to whole - blank: an even share is taken off the scores,
    and off the masks what they have in common, so that the rest adds up to nothing. `weights` (n,) are those of the
    masks where they were not drawn by the Shapley kernel.
    """
    count = masks.mean(axis=1)
    rest = scores - blank - count * (whole - blank)
    even = (whole - blank) / masks.shape[1]
    design = masks - count[:, np.newaxis]
    penalty = np.full(masks.shape[1], TINY)
    fit = fit_pairs(design, rest, np.ones(len(masks)) if weights is None else weights, penalty)
    return even + fit.coefficients, fit.deviations


def _estimate(scores: RegionScores, values: Matrix, deviations: Matrix, stability: float) -> Estimate:
    return Estimate(
        values.astype(np.float32)[scores.regions],
        scores.evaluations,
        {**_parameters(scores), "rank_stability": stability},
        half_widths(deviations)[scores.regions],
        settled=settled(stability, *deviations.shape),
    )


def _parameters(scores: RegionScores) -> dict[str, object]:
    blank, whole = scores.extremes
    return {
        "segments": scores.count,
        "segmentation": "SLIC",
        "score": whole,
        "baseline_score": blank,
        **scores.parameters,
    }

"""LIME (Ribeiro et al. 2016, doi:10.1145/2939672.2939778): a linear surrogate of the network around one image."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from explain.baseline import blurred
from explain.method import BATCH, Estimate, Question
from explain.regions import RegionScores, superpixels
from explain.regression import Fit, fit_pairs
from explain.settling import half_widths, sampled_rank_stability, settled
from model.prediction import batches

SAMPLES = 2000
KERNEL_WIDTH = 0.25
RIDGE = 1.0


def lime_weights(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by LIME: each pixel has its superpixel's weight in a ridge regression of the score.

    A hidden superpixel shows the blurred image. Kernel and fit are the lime library's. The samples are distributed as
    its samples are, each for itself, but depend on one another such that fewer of them do (`paired_masks`).
    `local_fidelity` is the fit's weighted R², 1 where the surrogate says all that the network does.
    """
    scores = RegionScores(question, superpixels(question.image))
    masks = paired_masks(scores.count, SAMPLES // 2, question.seed)
    results = np.empty(SAMPLES)
    for batch in batches(SAMPLES, BATCH):
        results[batch] = scores(masks[batch])
        fit = fit_surrogate(masks[: batch.stop], results[: batch.stop])
        weights, deviations = fit.coefficients[1:], fit.deviations[:, 1:]
        stability = sampled_rank_stability(weights, deviations)
        parameters = {
            **_parameters(scores),
            "intercept": float(fit.coefficients[0]),
            "local_fidelity": fit.fidelity,
            "rank_stability": stability,
        }
        yield Estimate(
            weights.astype(np.float32)[scores.regions],
            scores.evaluations,
            parameters,
            half_widths(deviations)[scores.regions],
            settled=settled(stability, *deviations.shape),
        )


def paired_masks(regions: int, pairs: int, seed: int) -> NDArray[np.bool_]:
    """Choices of regions to show, bool (2 · pairs, regions); row 2i + 1 shows what row 2i hides, row 0 shows all.

    Each row but the first two is distributed as lime's are: every region is shown with probability 1/2. In a pair what
    regions do two by two, which is none of a linear surrogate's business, cancels out; and the pairs come in blocks in
    which no two regions are shown together more often than not (the fold-over of a Hadamard matrix with shuffled rows
    and columns and each region's signs flipped at random; Plackett & Burman 1946, Box & Wilson 1951), so that no
    region's weight is mistaken for another's.
    """
    random = np.random.default_rng(seed)
    order = 1 << (regions - 1).bit_length()
    orthogonal = hadamard(order) > 0
    blocks = [np.ones((1, regions), bool)]
    for _ in range(0, pairs, order):
        columns = random.permutation(order)[:regions]
        blocks.append(random.permutation(orthogonal[:, columns]) ^ (random.random(regions) < 0.5))
    shown = np.concatenate(blocks)[:pairs]
    return np.stack([shown, ~shown], axis=1).reshape(-1, regions)


def fit_surrogate(masks: NDArray[np.bool_], scores: NDArray[np.float64]) -> Fit:
    """lime's weighted ridge regression of `scores` (n,) on `masks`, bool (n, regions), row 0 showing all, in pairs.

    A sample weighs the less the larger its cosine distance from the whole image. The first coefficient is the
    intercept, on which there is no penalty, so that scores may be counted from the first: the weights of a network that
    always says the same are then nothing at all, and not what rounding makes of it.
    """
    design = np.column_stack([np.ones(len(masks)), masks])
    distances = 1 - np.sqrt(masks.mean(axis=1))
    weights = np.sqrt(np.exp(-((distances / KERNEL_WIDTH) ** 2)))
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = 0
    fit = fit_pairs(design, scores - scores[0], weights, penalty)
    fit.coefficients[0] += scores[0]
    return fit


def lime_library(question: Question) -> Iterator[Estimate]:
    """The same by the lime library, with its own samples and as many of them, for reference: one estimate, at the end.

    Nothing can be seen of it, nor can it be stopped, before then.
    """
    from lime.lime_image import LimeImageExplainer

    segments = superpixels(question.image)
    scores = RegionScores(question, segments)
    explainer = LimeImageExplainer(KERNEL_WIDTH, feature_selection="none", random_state=question.seed)
    explanation = explainer.explain_instance(
        question.image,
        lambda images: (question.predictor.logits(images) @ question.weights)[:, np.newaxis],
        labels=(0,),
        top_labels=None,
        hide_color=blurred(question.image),
        num_samples=SAMPLES,
        batch_size=BATCH,
        segmentation_fn=lambda image: segments,
        random_seed=question.seed,
    )
    weights = np.array([weight for _, weight in sorted(explanation.local_exp[0])], np.float32)
    parameters = {
        **_parameters(scores),
        "intercept": float(explanation.intercept[0]),
        "local_fidelity": float(explanation.score),
    }
    yield Estimate(weights[segments], SAMPLES, parameters)


def _parameters(scores: RegionScores) -> dict[str, object]:
    return {"segments": scores.count, "segmentation": "SLIC", "kernel_width": KERNEL_WIDTH, **scores.parameters}

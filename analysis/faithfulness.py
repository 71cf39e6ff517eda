"""Deletion and insertion: does hiding what a map calls important change the score, and does showing it restore it?

Petsiuk, Das & Saenko 2018 (RISE, arXiv:1806.07421). As there, deletion replaces pixels by a constant colour and
insertion starts from a blurred image. This departs from the paper in three ways: the constant is the image's own mean
colour, since grey would be a finding on skin; the blur is that of the methods' own baseline (explain/baseline.py); and
the score is the logit, or the difference of two, instead of a probability, so that areas are divided by its range.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.checkpoint import Checkpoint, go_on
from explain.attribution import Target
from explain.baseline import blurred
from explain.method import BATCH
from model.prediction import Predictor, batches

STEPS = 24
EVALUATIONS = 2 * STEPS + 1
SHARES = np.linspace(0, 1, STEPS + 1)
SMALLEST_RANGE = 1.0


@dataclass(frozen=True, eq=False)
class Curves:
    """Logits float32 (STEPS + 1, classes) of an image after the share SHARES of its pixels is deleted, or inserted.

    The most important pixels come first. Deletion starts at the whole image, insertion ends there.
    """

    deletion: NDArray[np.float32]
    insertion: NDArray[np.float32]

    @property
    def whole(self) -> NDArray[np.float32]:
        """The logits of the whole image, float32 (classes,)."""
        logits: NDArray[np.float32] = self.deletion[0]
        return logits


def perturbation_curves(
    values: NDArray[np.float32], image: NDArray[np.uint8], predictor: Predictor, *, check: Checkpoint = go_on
) -> Curves:
    """Delete and insert the pixels of a prepared image, uint8 (size, size, 3), in the order of its map `values`.

    `values` is float32 (size, size), the largest first; of equal ones the first in reading order. Costs EVALUATIONS
    evaluations. All classes' logits are kept, so that one pass judges a map on every target.
    """
    order = np.argsort(-values, axis=None, kind="stable")
    rank = np.empty(order.size, np.intp)
    rank[order] = np.arange(order.size)
    taken = np.rint(SHARES * order.size)[:, np.newaxis, np.newaxis] > rank.reshape(values.shape)
    deletion = _logits(taken, image, mean_colour(image), predictor, check)
    # Everything inserted is the image that nothing was deleted from.
    insertion = _logits(taken[:-1], blurred(image), image, predictor, check)
    return Curves(deletion, np.concatenate([insertion, deletion[:1]]))


def mean_colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image's mean colour all over, uint8 (size, size, 3)."""
    colour = np.rint(image.mean(axis=(0, 1))).astype(np.uint8)
    return np.broadcast_to(colour, image.shape)


def area(scores: NDArray[np.floating], whole: float, baseline: float) -> float:
    """The normalised area under a curve of scores (STEPS + 1,), by trapezoids over the share of pixels.

    A score counts as (score - baseline) / |whole - baseline|: for an image that speaks for the target 1 is the whole
    image and 0 the baseline, and a map that knows nothing has about 1/2. For one that speaks against it they are -1 and
    0. In both, deletion is the better the lower its area, insertion the higher. A range under one logit counts as one
    logit, so that an image with nothing to explain has areas near 0 instead of huge ones.
    """
    height = max(abs(whole - baseline), SMALLEST_RANGE)
    return float(np.trapezoid((scores.astype(np.float64) - baseline) / height, SHARES))


def areas(curves: Curves, target: Target, classes: tuple[str, ...]) -> dict[str, float]:
    """`deletion_area` and `insertion_area` on the target's logit, and both with `_contrast` on its contrast."""
    plain, contrast = Target(target.code).weights(classes), contrast_of(curves, target, classes).weights(classes)
    return {**_areas(curves, plain, ""), **_areas(curves, contrast, "_contrast")}


def contrast_of(curves: Curves, target: Target, classes: tuple[str, ...]) -> Target:
    """`target` itself if it is a contrast, else its class rather than the other one with the image's largest logit."""
    if target.against is not None:
        return target
    others = [code for code in classes if code != target.code]
    return Target(target.code, max(others, key=lambda code: float(curves.whole[classes.index(code)])))


def _areas(curves: Curves, weights: NDArray[np.float32], suffix: str) -> dict[str, float]:
    deletion, insertion = curves.deletion @ weights, curves.insertion @ weights
    whole = float(deletion[0])
    return {
        f"deletion_area{suffix}": area(deletion, whole, float(deletion[-1])),
        f"insertion_area{suffix}": area(insertion, whole, float(insertion[0])),
    }


def _logits(
    taken: NDArray[np.bool_],
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    predictor: Predictor,
    check: Checkpoint,
) -> NDArray[np.float32]:
    """Logits (n, classes) of n pictures that show `after` where bool (n, size, size) `taken` says so, else `before`."""
    found = []
    for batch in batches(len(taken), BATCH):
        check()
        found.append(predictor.logits(np.where(taken[batch][..., np.newaxis], after, before)))
    return np.concatenate(found)

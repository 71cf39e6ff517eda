"""Deletion and insertion: does hiding what a map calls important change the score, and does showing it restore it?

Petsiuk, Das & Saenko 2018 (RISE, arXiv:1806.07421). As there, what decides is deletion behind a constant colour and
insertion on a blurred image: a blur may leave to the network what is hidden, a constant has edges that look like a
finding. Both are measured on the other baseline too, since a verdict should not hang on it. This departs from the paper
in three ways: the constant is the image's own mean colour, since grey would be a finding on skin; the blur is that of
the methods' own baseline (explain/baseline.py); and the score is the logit, or the difference of two, instead of a
probability, so that areas are divided by its range.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.pause import Pause, go_on
from explain.attribution import Target
from explain.baseline import blurred
from explain.method import BATCH
from model.prediction import Predictor, batches

STEPS = 24
EVALUATIONS = 4 * STEPS - 1
SHARES = np.linspace(0, 1, STEPS + 1)
SMALLEST_RANGE = 1.0
BASELINES = {"mean_colour": "mean colour", "blur": "box blur"}
# The baseline of each kind of curve that the verdicts rest on.
DECIDING = {"deletion": "mean_colour", "insertion": "blur"}
EXCHANGED = {"deletion": "blur", "insertion": "mean_colour"}


@dataclass(frozen=True, eq=False)
class Curves:
    """Logits float32 (STEPS + 1, classes), by BASELINES, of an image of which the share SHARES is deleted, or inserted.

    The most important pixels come first. Deletion starts at the whole image, insertion ends there.
    """

    deletion: Mapping[str, NDArray[np.float32]]
    insertion: Mapping[str, NDArray[np.float32]]

    @property
    def whole(self) -> NDArray[np.float32]:
        """The logits of the whole image, float32 (classes,)."""
        logits: NDArray[np.float32] = self.deletion["blur"][0]
        return logits

    def of(self, kind: str, baseline: str) -> NDArray[np.float32]:
        """The curve of `kind`, "deletion" or "insertion", on `baseline`, one of BASELINES."""
        return {"deletion": self.deletion, "insertion": self.insertion}[kind][baseline]


def perturbation_curves(
    values: NDArray[np.float32], image: NDArray[np.uint8], predictor: Predictor, *, check: Pause = go_on
) -> Curves:
    """Delete and insert the pixels of a prepared image, uint8 (size, size, 3), in the order of its map `values`.

    `values` is float32 (size, size), the largest first; of equal ones the first in reading order. Costs EVALUATIONS
    evaluations. All classes' logits are kept, so that one pass judges a map on every target.
    """
    order = np.argsort(-values, axis=None, kind="stable")
    rank = np.empty(order.size, np.intp)
    rank[order] = np.arange(order.size)
    taken = np.rint(SHARES * order.size)[:, np.newaxis, np.newaxis] > rank.reshape(values.shape)
    whole = _logits(taken[:1], image, image, predictor, check)
    deletion, insertion = {}, {}
    for name, baseline in {"mean_colour": mean_colour(image), "blur": blurred(image)}.items():
        deletion[name] = np.concatenate([whole, _logits(taken[1:], image, baseline, predictor, check)])
        # Nothing inserted is the image that everything was deleted from, and the other way round.
        inserted = _logits(taken[1:-1], baseline, image, predictor, check)
        insertion[name] = np.concatenate([deletion[name][-1:], inserted, whole])
    return Curves(deletion, insertion)


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
    """The area under every curve by its `area_name`, on the target's logit and on its contrast."""
    scores = {False: Target(target.code), True: contrast_of(curves, target, classes)}
    return {
        area_name(kind, baseline, contrast=contrast): _area(curves, kind, baseline, score.weights(classes))
        for contrast, score in scores.items()
        for kind in DECIDING
        for baseline in BASELINES
    }


def area_name(kind: str, baseline: str, *, contrast: bool) -> str:
    """What the area under a curve is called among measures: "deletion_area" or "insertion_area" on the baseline that
    decides, with "_blur" or "_mean_colour" on the other one, and with "_contrast" where it is of a contrast.
    """
    on = "" if baseline == DECIDING[kind] else f"_{baseline}"
    return f"{kind}_area{on}{'_contrast' if contrast else ''}"


def contrast_of(curves: Curves, target: Target, classes: tuple[str, ...]) -> Target:
    """`target` itself if it is a contrast, else its class rather than the other one with the image's largest logit."""
    if target.against is not None:
        return target
    others = [code for code in classes if code != target.code]
    return Target(target.code, max(others, key=lambda code: float(curves.whole[classes.index(code)])))


def _area(curves: Curves, kind: str, baseline: str, weights: NDArray[np.float32]) -> float:
    blank = curves.deletion[baseline][-1] @ weights
    return area(curves.of(kind, baseline) @ weights, float(curves.whole @ weights), float(blank))


def _logits(
    taken: NDArray[np.bool_],
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    predictor: Predictor,
    check: Pause,
) -> NDArray[np.float32]:
    """Logits (n, classes) of n pictures that show `after` where bool (n, size, size) `taken` says so, else `before`."""
    found = []
    for batch in batches(len(taken), BATCH):
        check()
        found.append(predictor.logits(np.where(taken[batch][..., np.newaxis], after, before)))
    return np.concatenate(found)

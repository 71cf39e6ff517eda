"""SHAP over a hierarchy of image regions: Owen values, by the walk of the shap library (Lundberg & Lee 2017)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from explain.halving import CELLS, DIVISIBLE, RECTANGLE, Unevenness, halves
from explain.method import BATCH, Estimate, Question
from explain.numpy_seed import seeded
from explain.regions import RegionScores, superpixels
from explain.settling import half_widths, rank_stability, settled

EVALUATIONS = 500


def owen_values(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by the Owen values of 16 × 16 cells, which are halved out of the whole image.

    A hidden cell shows the blurred image. The values, in logits per cell, add up to score(image) - score(baseline), in
    every estimate: what is not yet divided is shared out evenly. The interval is that of the values when everything is
    divided, known once there are more divisions than superpixels; they have settled when the ranking of the
    superpixels' means has.
    """
    cells = grid(question.image.shape[0])
    scores = RegionScores(question, cells)
    means = cell_shares(cells, superpixels(question.image))
    for step in owen_walk(scores, EVALUATIONS, question.seed):
        stability = rank_stability(means @ step.values.ravel(), step.deviations @ means.T)
        known = step.divisions > len(means)
        yield Estimate(
            step.values.astype(np.float32),
            scores.evaluations,
            {**_parameters(scores), "rank_stability": stability},
            half_widths(step.deviations).reshape(CELLS, CELLS) if known else None,
            settled=settled(stability, step.divisions, len(means)),
        )


def grid(size: int) -> NDArray[np.intp]:
    """The cells of an image of `size` pixels, int (size, size), numbered row by row."""
    cell = np.arange(size) * CELLS // size
    cells: NDArray[np.intp] = cell[:, np.newaxis] * CELLS + cell
    return cells


def cell_shares(cells: NDArray[np.intp], regions: NDArray[np.intp]) -> NDArray[np.float64]:
    """The share of every region's pixels that lies in every cell, float64 (regions, cells): what takes its mean."""
    count = int(regions.max()) + 1
    pixels = np.bincount((regions * CELLS**2 + cells).ravel(), minlength=count * CELLS**2).reshape(count, -1)
    shares: NDArray[np.float64] = pixels / pixels.sum(axis=1, keepdims=True)
    return shares


Scores = Callable[[NDArray[np.bool_]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Step:
    """Where the walk stands: the cells' values, float64 (CELLS, CELLS), after so many `divisions`.

    `deviations`, float64 (DIVISIBLE, CELLS²), are how far they may be from the Owen values, as `explain.settling` takes
    them.
    """

    values: NDArray[np.float64]
    deviations: NDArray[np.float64]
    divisions: int


@dataclass(frozen=True, eq=False)
class _Part:
    """A rectangle of cells, by number, where the cells of `context`, bool (CELLS, CELLS), show and no others.

    `without` and `with_it` are the scores before and after it is shown too; `share` is what this context counts for.
    """

    number: int
    context: NDArray[np.bool_]
    without: float
    with_it: float
    share: float

    @property
    def credit(self) -> float:
        return (self.with_it - self.without) * self.share

    def beside(self, other: int) -> NDArray[np.bool_]:
        """The context and the rectangle `other`."""
        shown = self.context.copy()
        shown[RECTANGLE[other]] = True
        return shown


def owen_walk(score: Scores, budget: int, seed: int) -> Iterator[Step]:
    """The cells' values after every batch of at most `budget` evaluations in all.

    `score` takes n choices of cells, bool (n, CELLS²). This is the walk of shap's PartitionExplainer with an image
    masker: the rectangle that can be given most credit is halved next, and each half's credit is measured without and
    with the other one. The same seed breaks ties as it does there, so that the last values are shap's.
    """
    random = np.random.RandomState(seed)  # shap draws from numpy's global generator, which is one of these
    nothing = np.zeros((CELLS, CELLS), bool)
    blank, whole = score(np.stack([nothing, ~nothing]).reshape(2, -1)).tolist()
    queue: list[tuple[float, float, _Part]] = [(0.0, 0.0, _Part(0, nothing, blank, whole, 1.0))]
    known = np.zeros((CELLS, CELLS))
    unevenness = Unevenness()
    spent = 2
    while queue and spent < budget:
        divided: list[_Part] = []
        while queue and 2 * len(divided) < min(BATCH, budget - spent):
            part = heappop(queue)[2]
            if part.number < DIVISIBLE:
                divided.append(part)
            else:
                known[RECTANGLE[part.number]] += part.credit
        if divided:
            masks = [part.beside(half) for part in divided for half in halves(part.number)]
            outcomes = score(np.stack(masks).reshape(len(masks), -1)).tolist()
            spent += len(masks)
            for part, of_first, of_second in zip(divided, outcomes[::2], outcomes[1::2], strict=True):
                unevenness.add(part.number, part.share, of_first - of_second)
                for child in _children(part, of_first, of_second):
                    heappush(queue, (-abs(child.credit), random.randn(), child))
        values = known.copy()
        for _, _, part in queue:
            values[RECTANGLE[part.number]] += part.credit / values[RECTANGLE[part.number]].size
        yield Step(values, unevenness.deviations(values), (spent - 2) // 2)


def _children(part: _Part, of_first: float, of_second: float) -> tuple[_Part, ...]:
    """Both halves of a part without the other one and both with it, in shap's order; `of_…` is the score with one."""
    first, second = halves(part.number)
    context, without, with_it, share = part.context, part.without, part.with_it, part.share / 2
    return (
        _Part(first, context, without, of_first, share),
        _Part(second, context, without, of_second, share),
        _Part(first, part.beside(second), of_second, with_it, share),
        _Part(second, part.beside(first), of_first, with_it, share),
    )


def shap_library(question: Question) -> Iterator[Estimate]:
    """The same by the shap library, for reference: one estimate, at the end, before which it cannot be stopped."""
    scores = RegionScores(question, grid(question.image.shape[0]))
    values = library_values(scores, EVALUATIONS, question.seed)
    yield Estimate(values.astype(np.float32), scores.evaluations, _parameters(scores))


def library_values(score: Scores, budget: int, seed: int) -> NDArray[np.float64]:
    """What `owen_walk` ends with, by shap.PartitionExplainer itself."""
    import shap

    def scores(shown: NDArray[np.uint8]) -> NDArray[np.float64]:
        return score(shown.reshape(len(shown), -1).astype(bool))

    explainer = shap.PartitionExplainer(scores, shap.maskers.Image(np.zeros((CELLS, CELLS, 1), np.uint8)))
    with seeded(seed):
        shown = np.ones((1, CELLS, CELLS, 1), np.uint8)
        explanation = explainer(shown, max_evals=budget, batch_size=BATCH, silent=True)
    values: NDArray[np.float64] = explanation.values[0, :, :, 0]
    return values


def _parameters(scores: RegionScores) -> dict[str, object]:
    blank, whole = scores.extremes
    return {"cells": CELLS, "score": whole, "baseline_score": blank, **scores.parameters}

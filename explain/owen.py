"""SHAP over a hierarchy of image regions: Owen values, by the walk of the shap library (Lundberg & Lee 2017)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from explain.method import BATCH, Estimate, Question
from explain.numpy_seed import seeded
from explain.regions import RegionScores

CELLS = 16
EVALUATIONS = 500


def owen_values(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by the Owen values of 16 × 16 cells, which are halved out of the whole image.

    A hidden cell shows the blurred image. The values, in logits per cell, add up to score(image) - score(baseline), in
    every estimate: what is not yet divided is shared out evenly.
    """
    scores = RegionScores(question, grid(question.image.shape[0]))
    for values in owen_walk(scores, EVALUATIONS, question.seed):
        yield Estimate(values.astype(np.float32), scores.evaluations, _parameters(scores))


def grid(size: int) -> NDArray[np.intp]:
    """The cells of an image of `size` pixels, int (size, size), numbered row by row."""
    cell = np.arange(size) * CELLS // size
    cells: NDArray[np.intp] = cell[:, np.newaxis] * CELLS + cell
    return cells


Rectangle = tuple[slice, slice]
Scores = Callable[[NDArray[np.bool_]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class _Part:
    """A rectangle of cells where the cells of `context`, bool (CELLS, CELLS), show and no others.

    `without` and `with_it` are the scores before and after it is shown too; `share` is what this context counts for.
    """

    rectangle: Rectangle
    context: NDArray[np.bool_]
    without: float
    with_it: float
    share: float

    @property
    def credit(self) -> float:
        return (self.with_it - self.without) * self.share

    def beside(self, other: Rectangle) -> NDArray[np.bool_]:
        """The context and `other`."""
        shown = self.context.copy()
        shown[other] = True
        return shown


def owen_walk(score: Scores, budget: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """The cells' values, float64 (CELLS, CELLS), after every batch of at most `budget` evaluations in all.

    `score` takes n choices of cells, bool (n, CELLS²). This is the walk of shap's PartitionExplainer with an image
    masker: the rectangle that can be given most credit is halved next, and each half's credit is measured without and
    with the other one. The same seed breaks ties as it does there, so that the last values are shap's.
    """
    random = np.random.RandomState(seed)  # shap draws from numpy's global generator, which is one of these
    nothing = np.zeros((CELLS, CELLS), bool)
    blank, whole = score(np.stack([nothing, ~nothing]).reshape(2, -1)).tolist()
    image = _Part((slice(0, CELLS), slice(0, CELLS)), nothing, blank, whole, 1.0)
    queue: list[tuple[float, float, _Part]] = [(0.0, 0.0, image)]
    settled = np.zeros((CELLS, CELLS))
    spent = 2
    while queue and spent < budget:
        divided: list[tuple[_Part, Rectangle, Rectangle]] = []
        while queue and 2 * len(divided) < min(BATCH, budget - spent):
            part = heappop(queue)[2]
            if settled[part.rectangle].size == 1:
                settled[part.rectangle] += part.credit
            else:
                divided.append((part, *_halves(*part.rectangle)))
        if divided:
            masks = [part.beside(half) for part, *halves in divided for half in halves]
            outcomes = score(np.stack(masks).reshape(len(masks), -1)).tolist()
            spent += len(masks)
            for (part, first, second), alone in zip(
                divided, zip(outcomes[::2], outcomes[1::2], strict=True), strict=True
            ):
                for child in _children(part, first, second, *alone):
                    heappush(queue, (-abs(child.credit), random.randn(), child))
        values = settled.copy()
        for _, _, part in queue:
            values[part.rectangle] += part.credit / values[part.rectangle].size
        yield values


def _halves(rows: slice, columns: slice) -> tuple[Rectangle, Rectangle]:
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if height >= width:
        middle = rows.start + height // 2
        return (slice(rows.start, middle), columns), (slice(middle, rows.stop), columns)
    middle = columns.start + width // 2
    return (rows, slice(columns.start, middle)), (rows, slice(middle, columns.stop))


def _children(part: _Part, first: Rectangle, second: Rectangle, of_first: float, of_second: float) -> tuple[_Part, ...]:
    """Both halves of a part without the other one and both with it, in shap's order; `of_…` is the score with one."""
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

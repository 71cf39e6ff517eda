"""Shapley values of image regions, by the shap library (Lundberg & Lee 2017; Owen values over a region hierarchy)."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from explain.baseline import blur_width, blurred
from explain.method import BATCH, Estimate, Question

CELLS = 16
EVALUATIONS = 500

_numpy_random = Lock()


def shapley_values(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by shap's PartitionExplainer over a hierarchy of 16 × 16 cells.

    A hidden cell shows the blurred image. The values, in logits per cell, add up to score(image) - score(baseline),
    in every estimate: shap is run again with a growing budget over remembered scores, since its walk through the
    hierarchy only becomes an explanation at its end, and a smaller budget's walk is the beginning of a larger one's.
    """
    import shap

    scores = _CellScores(question)
    explainer = shap.PartitionExplainer(scores, shap.maskers.Image(np.zeros((CELLS, CELLS, 1), np.uint8)))
    shown = np.ones((1, CELLS, CELLS, 1), np.uint8)
    for budget in [*range(2 + BATCH, EVALUATIONS, 2 * BATCH), EVALUATIONS]:
        with _seeded(question.seed):
            explanation = explainer(shown, max_evals=budget, batch_size=BATCH, silent=True)
        parameters = {
            "cells": CELLS,
            "baseline": "box blur",
            "baseline_pixels": blur_width(question.image.shape[0]),
            "score": scores.whole,
            "baseline_score": scores.blank,
        }
        yield Estimate(explanation.values[0, :, :, 0].astype(np.float32), scores.evaluations, parameters)


class _CellScores:
    """The target's score of an image of which only some cells are shown; each choice of cells is evaluated once."""

    def __init__(self, question: Question) -> None:
        size = question.image.shape[0]
        self._image = question.image
        self._baseline = blurred(question.image)
        self._cell = np.arange(size) * CELLS // size
        self._predictor = question.predictor
        self._weights = question.weights
        self._known: dict[bytes, float] = {}

    def __call__(self, shown: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Scores (n,) of n choices, uint8 (n, cells, cells, 1), 1 where the image shows and 0 where the baseline."""
        new = {cells.tobytes(): cells for cells in shown if cells.tobytes() not in self._known}
        if new:
            masks = np.stack([*new.values()])[:, self._cell][:, :, self._cell].astype(bool)
            logits = self._predictor.logits(np.where(masks, self._image, self._baseline))
            self._known.update(zip(new, (logits @ self._weights).tolist(), strict=True))
        return np.array([self._known[cells.tobytes()] for cells in shown])

    @property
    def evaluations(self) -> int:
        return len(self._known)

    @property
    def whole(self) -> float:
        return self._known[np.ones((CELLS, CELLS, 1), np.uint8).tobytes()]

    @property
    def blank(self) -> float:
        return self._known[np.zeros((CELLS, CELLS, 1), np.uint8).tobytes()]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, by which shap breaks ties, and give it back as it was; one thread at a time."""
    with _numpy_random:
        state = np.random.get_state()
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)

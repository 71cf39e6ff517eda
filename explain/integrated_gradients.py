"""Integrated Gradients (Sundararajan et al. 2017, arXiv:1703.01365), from the blurred image to the image."""

from collections.abc import Iterator

import numpy as np

from explain.baseline import blur_width, blurred
from explain.gradients import BATCH, image_gradients
from explain.method import Estimate, Question

STEPS = 32
EVALUATIONS = STEPS + 2


def integrated_gradients(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by its difference to the blurred one, times the mean gradient on the way there.

    A pixel's channels are added up, in logits: all pixels together give score(image) - score(baseline), but for
    `completeness_error`. Departures: the baseline is not black, which would be a finding on skin; the integral is
    taken by the midpoint rule, and in an order in which every batch spans the whole way, from the middle of each
    stretch outwards, so that a partial map is nearly the same with fewer steps. 32 evaluations forwards and back, and
    two forwards.
    """
    image, baseline = (picture.astype(np.float32) for picture in (question.image, blurred(question.image)))
    predictor, weights = question.predictor, question.weights
    rounds = STEPS // BATCH
    total = np.zeros_like(image)
    for done, first in enumerate(sorted(range(rounds), key=lambda first: abs(2 * first + 1 - rounds))):
        places = (np.arange(first, STEPS, rounds, dtype=np.float32) + 0.5).reshape(-1, 1, 1, 1) / STEPS
        gradients = image_gradients(predictor.bundle, baseline + places * (image - baseline), weights)
        total += gradients.sum(axis=0)
        steps = (done + 1) * BATCH
        values = ((image - baseline) * total / steps).sum(axis=-1)
        parameters: dict[str, object] = {
            "steps": steps,
            "baseline": "box blur",
            "baseline_pixels": blur_width(question.image.shape[0]),
        }
        if steps < STEPS:
            yield Estimate(values, steps, parameters)
    whole, blank = (predictor.logits(np.stack([image, baseline])) @ weights).tolist()
    error = float(values.sum(dtype=np.float64)) - (whole - blank)
    yield Estimate(
        values, EVALUATIONS, {**parameters, "score": whole, "baseline_score": blank, "completeness_error": error}
    )

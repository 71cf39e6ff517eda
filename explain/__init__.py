"""Why the model said it: Grad-CAM, SHAP and LIME, asked in one way and answered in one form."""

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explain.attribution import Attribution, ExplanationError, Progress, ProgressCallback, StopSignal, Target
from explain.method import Estimate, Question
from explain.methods import METHODS
from model.images import prepare
from model.prediction import Predictor

STABLE = 0.9


def explain(
    image: NDArray[np.uint8],
    predictor: Predictor,
    method: str,
    target: str,
    against: str | None = None,
    *,
    seed: int = 0,
    on_progress: ProgressCallback | None = None,
    should_stop: StopSignal | None = None,
) -> Attribution:
    """Explain the logit of class `target`, or its difference to that of class `against`, for one RGB image.

    `image` is uint8 (height, width, 3) of any size, `method` one of METHODS. `on_progress` is called at once, and then
    with a partial result every few network batches. `should_stop` is asked as often; once it says True the result so
    far is returned, with converged False. A sampling method has converged when its map at half the evaluations
    correlates (Pearson) at least 0.9 with the final one; the correlation is in the parameters as `stability`.

    Raises ExplanationError for an unknown method or class, or a class against itself.
    """
    chosen = METHODS.get(method)
    if chosen is None:
        raise ExplanationError(f"There is no method {method!r}. Choose from {', '.join(METHODS)}.")
    aim = Target(target, against)
    aim.weights(predictor.bundle.card.classes)
    started = time.perf_counter()

    def attribution(estimate: Estimate) -> Attribution:
        seconds = time.perf_counter() - started
        return Attribution(
            estimate.values,
            method,
            aim,
            estimate.parameters,
            seed,
            estimate.evaluations,
            seconds,
            converged=False,
            interval=estimate.interval,
        )

    if on_progress is not None:
        on_progress(Progress(0, chosen.evaluations))
    halfway: NDArray[np.float32] | None = None
    question = Question(prepare(image, predictor.bundle.card.size), predictor, aim, seed)
    for estimate in chosen.estimates(question):
        result = attribution(estimate)
        if on_progress is not None:
            on_progress(Progress(estimate.evaluations, chosen.evaluations, result))
        if should_stop is not None and estimate.evaluations < chosen.evaluations and should_stop():
            return result
        if 2 * estimate.evaluations <= chosen.evaluations:
            halfway = estimate.values
    return _judged(result, halfway)


def warm_up(predictor: Predictor) -> None:
    """Load shap and lime and let them compile their own code: seconds, once a process, that no user need wait for."""
    side = predictor.bundle.card.size
    for method in ("shap", "lime"):
        blank = np.zeros((side, side, 3), np.uint8)
        explain(blank, predictor, method, predictor.bundle.card.classes[0], should_stop=lambda: True)


def _judged(result: Attribution, halfway: NDArray[np.float32] | None) -> Attribution:
    if halfway is None:
        return replace(result, converged=None)
    stability = _correlation(halfway, result.values)
    return replace(result, parameters={**result.parameters, "stability": stability}, converged=stability >= STABLE)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float(np.array_equal(a, b))
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

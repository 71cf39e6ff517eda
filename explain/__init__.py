"""Why the model said it: every method of explanation, asked in one way and answered in one form."""

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explain.attribution import Attribution, ExplanationError, Progress, ProgressCallback, StopSignal, Target
from explain.layers import check_layer
from explain.method import Estimate, Question
from explain.methods import METHODS
from explain.one_thread import ONE_THREAD
from model.bundle import ModelBundle
from model.images import prepare
from model.prediction import Predictor

STABLE = 0.9
MAX_SEED = 2**32 - 1


def explain(
    image: NDArray[np.uint8],
    predictor: Predictor,
    method: str,
    target: str,
    against: str | None = None,
    *,
    seed: int = 0,
    layer: str | None = None,
    library: bool = False,
    on_progress: ProgressCallback | None = None,
    should_stop: StopSignal | None = None,
) -> Attribution:
    """Explain the logit of class `target`, or its difference to that of class `against`, for one RGB image.

    `image` is uint8 (height, width, 3) of any size, `method` one of METHODS. `on_progress` is called at once, and then
    with a partial result every few network batches. `should_stop` is asked as often; once it says True the result so
    far is returned, with converged False. A method with a rule for it (explain/settling.py) ends and has converged
    when the order of its regions has settled. Another sampling method has converged when its map at half the
    evaluations correlates (Pearson) at least 0.9 with the final one, which is in the parameters as `stability`.

    `layer` is one of `explain.layers.layers`, for the methods that take one; None is the last feature map. With
    `library` the map is made by the library that the method was taken from, for reference.

    Raises ExplanationError for an unknown method, layer or class, a class against itself, a method that takes no layer
    or is no library's, or a seed that is not in [0, 2³²).
    """
    check_method(method, predictor.bundle, layer, library=library)
    check_seed(seed)
    chosen = METHODS[method]
    estimates = chosen.library if library and chosen.library is not None else chosen.estimates
    aim = Target(target, against)
    aim.weights(predictor.bundle.card.classes)
    started = time.perf_counter()

    def attribution(estimate: Estimate) -> Attribution:
        seconds = time.perf_counter() - started
        return Attribution(
            estimate.values,
            method,
            aim,
            {**estimate.parameters, "library": True} if library else estimate.parameters,
            seed,
            estimate.evaluations,
            seconds,
            converged=False,
            interval=estimate.interval,
        )

    if on_progress is not None:
        on_progress(Progress(0, chosen.evaluations))
    halfway: NDArray[np.float32] | None = None
    question = Question(prepare(image, predictor.bundle.card.size), predictor, aim, seed, layer)
    # A method does linear algebra, on small matrices, between the network's runs: threads of its own would spin for a
    # while after each and take the cores from the network, which halves its speed.
    with ONE_THREAD:
        for estimate in estimates(question):
            result = attribution(estimate)
            # A library gives one estimate, at the end, by as many evaluations as it likes.
            total = estimate.evaluations if library else estimate.total or chosen.evaluations
            if on_progress is not None:
                on_progress(Progress(estimate.evaluations, total, result))
            if estimate.settled:
                return replace(result, converged=True)
            if should_stop is not None and estimate.evaluations < total and should_stop():
                return result
            if 0 < 2 * estimate.evaluations <= total:
                halfway = estimate.values
    return result if estimate.settled is False else _judged(result, halfway)


def check_method(method: str, bundle: ModelBundle, layer: str | None = None, *, library: bool = False) -> None:
    """Raise ExplanationError, as `explain` does, unless the method exists and can be asked for in this way."""
    chosen = METHODS.get(method)
    if chosen is None:
        raise ExplanationError(f"There is no method {method!r}. Choose from {', '.join(METHODS)}.")
    if library and chosen.library is None:
        known = ", ".join(code for code, each in METHODS.items() if each.library is not None)
        raise ExplanationError(f"{chosen.name} is made by no library here. Choose from {known}.")
    if layer is not None and not chosen.layered:
        known = ", ".join(code for code, each in METHODS.items() if each.layered)
        raise ExplanationError(f"{chosen.name} is not made at a layer. Choose from {known}.")
    if layer is not None:
        check_layer(bundle, layer)


def check_seed(seed: int) -> None:
    """Raise ExplanationError for a seed that numpy's generators do not all take."""
    if not 0 <= seed <= MAX_SEED:
        raise ExplanationError(f"A seed is a whole number from 0 to {MAX_SEED}, not {seed}.")


def warm_up(predictor: Predictor) -> None:
    """Load what the methods by region need (scikit-image): seconds, once a process, that no user need wait for."""
    side = predictor.bundle.card.size
    blank = np.zeros((side, side, 3), np.uint8)
    explain(blank, predictor, "lime", predictor.bundle.card.classes[0], should_stop=lambda: True)


def _judged(result: Attribution, halfway: NDArray[np.float32] | None) -> Attribution:
    if halfway is None:
        return replace(result, converged=None)
    stability = _correlation(halfway, result.values)
    return replace(result, parameters={**result.parameters, "stability": stability}, converged=stability >= STABLE)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float(np.array_equal(a, b))
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

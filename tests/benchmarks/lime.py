"""LIME to the order of regions that 5,000 samples give, against the lime library with its defaults through Keras.

The yardstick is a run of 5,000 samples of the library on the same superpixels. `ours_ms` is the median over images of
the time until ours correlates 0.95 with it (Spearman, over superpixels); an image on which it never does counts with
the time of all its samples, and is missing from `reached`. `settled_…` is where ours ends by its own rule, and
`repeat_correlations` are those of the yardsticks with another 5,000 samples: what chance leaves in the yardsticks
themselves. The images are five of HAM10000's, or the synthetic samples where they are not at hand.
"""

import io
import time
from contextlib import redirect_stderr
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from explain import regions
from explain.attribution import Target
from explain.baseline import blurred
from explain.method import Question
from explain.one_thread import ONE_THREAD
from explain.surrogate import lime_weights
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.keras_model import load_keras
from model.prediction import Predictor
from tests.benchmarks.medians import compared
from tests.benchmarks.real_images import prepared_images

MANY, WANTED = 5000, 0.95


@dataclass(frozen=True)
class Run:
    """One image: milliseconds until ours is right, the library's, and what ours had where it would have ended."""

    ours_ms: float
    reference_ms: float
    reached: bool
    settled_evaluations: int
    settled_ms: float
    settled_correlation: float
    repeat_correlation: float


def measure(many: int = MANY, count: int = 5) -> dict[str, object]:
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor, model = Predictor(bundle), load_keras(bundle)
    images = prepared_images(count, bundle.card.size)
    model.predict(images[0][np.newaxis], verbose=0)
    next(lime_weights(Question(images[0], predictor, Target("mel"))))
    with redirect_stderr(io.StringIO()):  # lime's progress bars cannot be turned off
        runs = [run(Question(image, predictor, Target("mel")), model, many) for image in images]
    return compared(
        "lime",
        median([run.ours_ms for run in runs]),
        median([run.reference_ms for run in runs]),
        must=10,
        met=all(run.reached for run in runs),
        reference="lime, defaults, Keras predict",
        reached=f"{sum(run.reached for run in runs)} of {len(runs)}",
        settled_ms=round(median([run.settled_ms for run in runs])),
        settled_evaluations=[run.settled_evaluations for run in runs],
        settled_correlations=[run.settled_correlation for run in runs],
        repeat_correlations=[run.repeat_correlation for run in runs],
    )


def median(values: list[float]) -> float:
    return float(np.median(values))


def run(question: Question, model: object, many: int) -> Run:
    reference_ms = defaults_of_library(question, model)
    segments = regions.superpixels(question.image)
    yardstick = of_library(question, segments, many, 1)
    places = [np.flatnonzero(segments == region)[0] for region in range(segments.max() + 1)]
    reached_ms = settled = None
    regions._superpixels.cache_clear()
    with ONE_THREAD:
        taken, started = 0.0, time.perf_counter()
        for estimate in lime_weights(question):
            taken += 1000 * (time.perf_counter() - started)
            correlation = correlated(estimate.values.ravel()[places], yardstick)
            if reached_ms is None and correlation >= WANTED:
                reached_ms = taken
            if settled is None and estimate.settled:
                settled = (estimate.evaluations, taken, correlation)
            if reached_ms is not None and settled is not None:
                break
            started = time.perf_counter()
    evaluations, settled_ms, settled_correlation = settled or (estimate.evaluations, taken, correlation)
    return Run(
        taken if reached_ms is None else reached_ms,
        reference_ms,
        reached_ms is not None,
        evaluations,
        settled_ms,
        settled_correlation,
        correlated(of_library(question, segments, many, 3), yardstick),
    )


def defaults_of_library(question: Question, model: object) -> float:
    """Milliseconds of the library as it comes: quickshift, 1,000 samples, batches of 10."""
    from lime.lime_image import LimeImageExplainer

    label = question.predictor.bundle.card.classes.index(question.target.code)
    started = time.perf_counter()
    LimeImageExplainer(random_state=0).explain_instance(
        question.image, lambda images: model.predict(images, verbose=0), labels=(label,), top_labels=None
    )
    return 1000 * (time.perf_counter() - started)


def of_library(question: Question, segments: NDArray[np.intp], samples: int, seed: int) -> list[float]:
    from lime.lime_image import LimeImageExplainer

    explanation = LimeImageExplainer(feature_selection="none", random_state=seed).explain_instance(
        question.image,
        lambda images: (question.predictor.logits(images) @ question.weights)[:, np.newaxis],
        labels=(0,),
        top_labels=None,
        hide_color=blurred(question.image),
        num_samples=samples,
        batch_size=8,
        segmentation_fn=lambda image: segments,
    )
    return [weight for _, weight in sorted(explanation.local_exp[0])]


def correlated(one: NDArray[np.float32] | list[float], other: list[float]) -> float:
    return round(float(spearmanr(one, other).statistic), 3)

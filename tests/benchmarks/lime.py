"""LIME until the order of its regions has settled, against the lime library with its defaults through Keras.

`correlation` is the Spearman correlation, over superpixels, of the map that ours ended with and a run of 5,000 samples
of the library on the same segments; `reference_correlation` is that of the library with as many samples as it takes by
default, and `repeat_correlation` that of the 5,000 with another 5,000: what is left to chance in the yardstick itself.
"""

import time

import numpy as np
from scipy.stats import spearmanr

from explain import explain, regions
from explain.attribution import Target
from explain.baseline import blurred
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.images import prepare
from model.keras_model import load_keras
from model.phantoms import sample
from model.prediction import Predictor
from tests.benchmarks.medians import compared

REPEATS = 5
MANY, DEFAULT = 5000, 1000


def measure(repeats: int = REPEATS, many: int = MANY) -> dict[str, object]:
    """Median milliseconds of ours; the library's defaults (quickshift, 1,000 samples, batch 10) run once."""
    from lime.lime_image import LimeImageExplainer

    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor, model = Predictor(bundle), load_keras(bundle)
    image = prepare(sample("melanoma").image, bundle.card.size)
    weights, mel = Target("mel").weights(bundle.card.classes), bundle.card.classes.index("mel")
    segments = regions.superpixels(image)
    model.predict(image[np.newaxis], verbose=0)
    explain(image, predictor, "lime", "mel")
    taken = []
    for _ in range(repeats):
        regions._superpixels.cache_clear()
        started = time.perf_counter()
        ours = explain(image, predictor, "lime", "mel")
        taken.append(1000 * (time.perf_counter() - started))
    started = time.perf_counter()
    explainer = LimeImageExplainer(random_state=0)
    explainer.explain_instance(image, lambda images: model.predict(images, verbose=0), labels=(mel,), top_labels=None)
    reference_ms = 1000 * (time.perf_counter() - started)

    def of_library(samples: int, seed: int) -> list[float]:
        explanation = LimeImageExplainer(feature_selection="none", random_state=seed).explain_instance(
            image,
            lambda images: (predictor.logits(images) @ weights)[:, np.newaxis],
            labels=(0,),
            top_labels=None,
            hide_color=blurred(image),
            num_samples=samples,
            batch_size=32,
            segmentation_fn=lambda image: segments,
        )
        return [weight for _, weight in sorted(explanation.local_exp[0])]

    def correlation(one: list[float], other: list[float]) -> float:
        return round(float(spearmanr(one, other).statistic), 3)

    yardstick = of_library(many, 1)
    by_region = [float(ours.values[segments == region][0]) for region in range(segments.max() + 1)]
    return compared(
        "lime",
        float(np.median(taken)),
        reference_ms,
        reference="lime, defaults, Keras predict",
        evaluations=ours.evaluations,
        correlation=correlation(by_region, yardstick),
        reference_correlation=correlation(of_library(DEFAULT, 2), yardstick),
        repeat_correlation=correlation(of_library(many, 3), yardstick),
    )

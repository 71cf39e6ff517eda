"""Grad-CAM of one image: the serving graph's last feature map times the head, against tf-keras-vis."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from explain import explain
from explain.attribution import Target
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.images import prepare
from model.prediction import Predictor

REPEATS = 25
NATIVE_MAP = {
    "penultimate_layer": "features",
    "seek_penultimate_conv_layer": False,
    "expand_cam": False,
    "normalize_cam": False,
}


def measure() -> dict[str, str | float]:
    """Median milliseconds of both on the shipped model, run in turn on the same image; both give the native map."""
    import keras
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    bundle = load_bundle(DEFAULT_BUNDLE)
    image = np.random.default_rng(0).integers(0, 256, (450, 600, 3), np.uint8)
    predictor = Predictor(bundle)
    visualisation = Gradcam(keras.models.load_model(bundle.keras_path), clone=True)
    score = CategoricalScore(int(Target("mel").weights(bundle.card.classes).argmax()))

    def ours() -> None:
        explain(image, predictor, "gradcam", "mel")

    def reference() -> None:
        prepared = prepare(image, bundle.card.size)[np.newaxis].astype(np.float32)
        visualisation(score, prepared, **NATIVE_MAP)

    pairs = [(_milliseconds(ours), _milliseconds(reference)) for _ in range(REPEATS + 2)][2:]
    ours_ms, reference_ms = (median(times) for times in zip(*pairs, strict=True))
    return {
        "name": "gradcam",
        "ours_ms": round(ours_ms, 2),
        "reference_ms": round(reference_ms, 2),
        "ratio": round(reference_ms / ours_ms, 2),
    }


def _milliseconds(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - started)

"""Grad-CAM of one image: the serving graph's last feature map times the head, against tf-keras-vis."""

import numpy as np

from explain import explain
from explain.attribution import Target
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.images import prepare
from model.keras_model import load_keras
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians

REPEATS = 25
NATIVE_MAP = {
    "penultimate_layer": "features",
    "seek_penultimate_conv_layer": False,
    "expand_cam": False,
    "normalize_cam": False,
}


def measure() -> dict[str, str | float]:
    """Median milliseconds of both on the shipped model, run in turn on the same image; both give the native map."""
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    bundle = load_bundle(DEFAULT_BUNDLE)
    image = np.random.default_rng(0).integers(0, 256, (450, 600, 3), np.uint8)
    predictor = Predictor(bundle)
    visualisation = Gradcam(load_keras(bundle), clone=True)
    score = CategoricalScore(int(Target("mel").weights(bundle.card.classes).argmax()))

    def ours() -> None:
        explain(image, predictor, "gradcam", "mel")

    def reference() -> None:
        prepared = prepare(image, bundle.card.size)[np.newaxis].astype(np.float32)
        visualisation(score, prepared, **NATIVE_MAP)

    return compared("gradcam", *medians(ours, reference, REPEATS), reference="tf-keras-vis")

"""Grad-CAM of one image for all seven classes and a contrast, against the plain forward pass and tf-keras-vis."""

import numpy as np

from explain.attribution import Target
from explain.gradcam import grad_cams
from explain.keras_vis import NATIVE
from explain.one_thread import ONE_THREAD
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.keras_model import load_keras
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians

REPEATS = 25


def measure() -> dict[str, object]:
    """tf-keras-vis makes one class's map; all give the native map of the same prepared image.

    Ours is timed in turn with the forward pass and not with tf-keras-vis, since TensorFlow's threads spin for a while
    after their work and take the cores from what runs next.
    """
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    bundle = load_bundle(DEFAULT_BUNDLE)
    classes = bundle.card.classes
    image = np.random.default_rng(0).integers(0, 256, (1, bundle.card.size, bundle.card.size, 3), np.uint8)
    predictor = Predictor(bundle)
    visualisation = Gradcam(load_keras(bundle), clone=True)
    score = CategoricalScore(classes.index("mel"))
    contrast = Target("mel", "nv").weights(classes)

    def ours() -> object:
        maps, _ = grad_cams(bundle, image, predictor.run(image))
        return maps, np.tensordot(contrast, maps[0], axes=1)

    with ONE_THREAD:  # as `explain` asks; BLAS' threads would spin on into the forward pass that is timed next
        ours_ms, forward = medians(ours, lambda: predictor.logits(image), REPEATS)
    _, reference = medians(ours, lambda: visualisation(score, image.astype(np.float32), **NATIVE), REPEATS)
    return compared(
        "gradcam",
        ours_ms,
        reference,
        must=20,
        met=ours_ms <= 1.2 * forward,
        reference="tf-keras-vis, one class",
        forward_ms=round(forward, 3),
        times_the_forward_pass=round(ours_ms / forward, 2),
    )

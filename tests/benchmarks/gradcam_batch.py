"""Grad-CAM of all classes for a batch of 32 images, against their plain forward pass."""

import numpy as np

from analysis.audit import BATCH
from explain.gradcam import grad_cams
from explain.one_thread import ONE_THREAD
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians


def measure() -> dict[str, object]:
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor = Predictor(bundle)
    images = np.random.default_rng(0).integers(0, 256, (BATCH, bundle.card.size, bundle.card.size, 3), np.uint8)
    with ONE_THREAD:  # as an audit asks; BLAS' threads would spin on into the forward pass that is timed next
        ours, forward = medians(
            lambda: grad_cams(bundle, images, predictor.run(images)), lambda: predictor.logits(images), 15
        )
    return compared(
        "gradcam_batch",
        ours,
        forward,
        must=0.85,
        reference="the forward pass",
        images_per_second=round(1000 * BATCH / ours, 1),
        forward_images_per_second=round(1000 * BATCH / forward, 1),
    )

"""Grad-CAM of all classes for `lesion_cnn` at 224 px, whose head is dense, against its plain forward pass."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from explain.gradcam import grad_cams
from explain.one_thread import ONE_THREAD
from model.networks import lesion_cnn
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians
from tests.model.untrained import write_untrained

SIZE = 224


def measure() -> dict[str, object]:
    """Untrained: how fast a network runs does not depend on what it has learnt."""
    with TemporaryDirectory() as folder:
        bundle = write_untrained(Path(folder) / "bundle", lesion_cnn(SIZE))
        predictor = Predictor(bundle)
        image = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)
        with ONE_THREAD:  # as `explain` asks; BLAS' threads would spin on into the forward pass that is timed next
            ours, forward = medians(
                lambda: grad_cams(bundle, image, predictor.run(image)), lambda: predictor.logits(image), 40
            )
    times = round(ours / forward, 2)
    return compared(
        "gradcam_dense", ours, forward, must=1 / 1.6, reference="the forward pass", times_the_forward_pass=times
    )

"""Latency of one image in every format of `lesionlens export`, against the bundle's own graph.

Calibrated with phantoms: how fast a network runs does not depend on the ranges of its activations.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.file_formats import FORMATS, open_logits
from model.images import prepare
from model.phantoms import SAMPLES, sample
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians

REPEATS = 60


def measure() -> dict[str, object]:
    """The int8 ONNX file against the original; the other formats' milliseconds beside them."""
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor = Predictor(bundle)
    images = np.stack([prepare(sample(name).image, bundle.card.size) for name in SAMPLES])
    image = images[:1]
    taken = {}
    with TemporaryDirectory() as folder:
        for name, chosen in FORMATS.items():
            file = Path(folder) / chosen.file
            file.write_bytes(chosen.content(bundle, images) if chosen.calibrated else chosen.content(bundle))
            logits = open_logits(file)
            taken[name] = medians(lambda run=logits: run(image), lambda: predictor.logits(image), REPEATS)
    others = {f"{name}_ms": round(ours, 3) for name, (ours, _) in taken.items()}
    return compared("export", *taken["onnx-int8"], reference="the bundle's graph in float32", **others)

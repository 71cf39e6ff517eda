"""Latency of one prediction: ONNX Runtime, as the product predicts, against the compiled Keras model."""

import numpy as np
import tensorflow as tf

from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.images import prepare
from model.keras_model import load_keras
from model.phantoms import SAMPLES, sample
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians


def measure() -> dict[str, object]:
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor = Predictor(bundle)
    image = prepare(sample(next(iter(SAMPLES))).image, bundle.card.size)[np.newaxis]
    network = tf.function(load_keras(bundle), jit_compile=False)
    tensor = tf.constant(image.astype(np.float32))
    return compared(
        "prediction",
        *medians(lambda: predictor.logits(image), lambda: network(tensor, training=False).numpy(), 60),
        reference="tf.function of the Keras model",
    )

"""Integrated Gradients of one image in 32 steps, against a plain TensorFlow loop over the steps."""

import numpy as np
import tensorflow as tf

from explain import explain
from explain.baseline import blurred
from explain.integrated_gradients import STEPS
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.images import prepare
from model.keras_model import load_keras
from model.phantoms import sample
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians


def measure() -> dict[str, object]:
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor, model = Predictor(bundle), load_keras(bundle)
    image, index = prepare(sample("melanoma").image, bundle.card.size), bundle.card.classes.index("mel")
    baseline = blurred(image).astype(np.float32)
    difference = image - baseline

    def plain_loop() -> object:
        total = np.zeros_like(difference)
        for step in range(STEPS):
            point = tf.constant((baseline + (step + 0.5) / STEPS * difference)[np.newaxis])
            with tf.GradientTape() as tape:
                tape.watch(point)
                score = model(point, training=False)[0, index]
            total += tape.gradient(score, point).numpy()[0]
        return (difference * total / STEPS).sum(axis=-1)

    times = medians(lambda: explain(image, predictor, "integrated_gradients", "mel"), plain_loop, 5)
    return compared("integrated_gradients", *times, must=2, reference="a plain TensorFlow loop")

"""Integrated Gradients of one image in 32 steps, against a plain TensorFlow loop over the steps.

`reference_ms` is the loop as tutorials write it, step by step; `compiled_ratio` is against the same loop with its step
compiled (tf.function).
"""

from collections.abc import Callable

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

    def gradient(point: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(point)
            score = model(point, training=False)[0, index]
        return tape.gradient(score, point)

    compiled = tf.function(gradient)

    def loop(step_gradient: Callable[[tf.Tensor], tf.Tensor]) -> object:
        total = np.zeros_like(difference)
        for step in range(STEPS):
            point = tf.constant((baseline + (step + 0.5) / STEPS * difference)[np.newaxis])
            total += step_gradient(point).numpy()[0]
        return (difference * total / STEPS).sum(axis=-1)

    def ours() -> object:
        return explain(image, predictor, "integrated_gradients", "mel")

    times = medians(ours, lambda: loop(gradient), 5)
    again, compiled_loop = medians(ours, lambda: loop(compiled), 5)
    return compared(
        "integrated_gradients",
        *times,
        must=2,
        met=compiled_loop / again >= 2,
        reference="a plain TensorFlow loop",
        compiled_ratio=round(compiled_loop / again, 2),
    )

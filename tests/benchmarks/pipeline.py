"""Milliseconds for a batch: the input pipeline alone against a training step of the network that consumes it."""

import itertools

import numpy as np
import tensorflow as tf

from model.input_pipeline import class_balance, training_batches
from model.networks import NETWORKS
from model.training import MARGIN, Configuration, compile_network
from tests.benchmarks.medians import compared, medians

CASES = 2_000
# The pipeline works ahead while the network is timed, so a few batches of every call are ready and must not count.
READY = 8
PRODUCED = 60
CONSUMED = 8


def measure() -> dict[str, object]:
    configuration = Configuration()
    large = round(configuration.size * MARGIN)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (CASES, large, large, 3), np.uint8)
    labels = np.arange(CASES) % 7
    dataset = training_batches(
        images,
        labels,
        np.arange(CASES),
        class_balance(labels, 7, configuration.balance),
        size=configuration.size,
        batch=configuration.batch,
        seed=0,
        epochs=range(20),
        augmentation=configuration.augmentation,
    )
    batches = iter(dataset)
    network = NETWORKS[configuration.network](configuration.size, 7)
    compile_network(network, configuration, steps=100)

    def produce() -> None:
        for batch in itertools.islice(batches, PRODUCED + READY):
            tf.nest.map_structure(lambda part: part.shape, batch)

    x, y, weights = next(batches)

    def consume() -> None:
        for _ in range(CONSUMED):
            network.train_on_batch(x, y, sample_weight=weights)

    produced, consumed = medians(produce, consume, 8)
    ours, reference = produced / PRODUCED, consumed / CONSUMED
    return compared(
        "pipeline",
        ours,
        reference,
        pipeline_images_per_second=round(1000 * configuration.batch / ours),
        network_images_per_second=round(1000 * configuration.batch / reference),
    )

"""From cached images to batches for training, with tf.data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.augmentation import Augmentation, augment

if TYPE_CHECKING:
    import tensorflow as tf

BALANCES = ("weights", "oversample", "square-root", "none")


@dataclass(frozen=True, eq=False)
class ClassBalance:
    """How rare classes are made to count, from the training part alone.

    All are float64 (classes,). `prior` is each class's share of the training cases, `sampling` its share of the drawn
    ones, `weights` the loss weight of its cases, 1 on average over the drawn ones. `odds` is how much more a class
    counts than its share of the training cases: a network trained like this gives logits that are larger by
    log(odds) than those for the natural mix.
    """

    prior: NDArray[np.float64]
    sampling: NDArray[np.float64]
    weights: NDArray[np.float64]
    odds: NDArray[np.float64]


def class_balance(labels: NDArray[np.intp], classes: int, balance: str) -> ClassBalance:
    """Class balance of training labels (n,): `weights` weighs the loss by class frequency to the power -0.5,
    `oversample` draws every class equally often, `square-root` in proportion to the square root of its frequency
    (Mahajan et al. 2018, arXiv:1805.00932), `none` leaves the natural mix.

    Raises ValueError when a class has no training case.
    """
    counts = np.bincount(labels, minlength=classes)
    if (counts == 0).any():
        raise ValueError(f"Every class needs a training case; class numbers {np.flatnonzero(counts == 0)} have none.")
    prior = counts / counts.sum()
    drawn = {"oversample": np.ones(classes), "square-root": prior**0.5}.get(balance, prior)
    sampling = drawn / drawn.sum()
    weights = prior**-0.5 if balance == "weights" else np.ones(classes)
    weights = weights / (weights * sampling).sum()
    return ClassBalance(prior, sampling, weights, weights * sampling / prior)


def epoch_order(
    labels: NDArray[np.intp], rows: NDArray[np.intp], balance: ClassBalance, seed: int, epoch: int
) -> NDArray[np.intp]:
    """The rows of one epoch in their order: a permutation, or with oversampling as many draws, equally by class.

    `labels` (n,) belong to `rows` (n,); the same seed and epoch give the same order.
    """
    generator = np.random.default_rng([seed, epoch])
    if np.allclose(balance.sampling, balance.prior):
        return generator.permutation(rows)
    chances = (balance.sampling / balance.prior)[labels]
    return generator.choice(rows, size=len(rows), p=chances / chances.sum())


def steps_per_epoch(count: int, batch: int) -> int:
    """Whole batches in `count` rows, at least one: the few rows that are left over would upset batch normalisation."""
    return max(1, count // batch)


def training_batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.intp],
    rows: NDArray[np.intp],
    balance: ClassBalance,
    *,
    size: int,
    batch: int,
    seed: int,
    epochs: range,
    augmentation: Augmentation,
) -> tf.data.Dataset:
    """Batches of `epochs` one after the other: images float32 (b, size, size, 3), one-hot labels (b, classes), weights.

    `images` and `labels` hold all cases, `rows` the training part. What a batch holds depends on the seed, the epoch
    and its place in it alone, so that a resumed training sees what an uninterrupted one would have seen.
    """
    import tensorflow as tf

    classes = len(balance.weights)
    steps = steps_per_epoch(len(rows), batch)
    orders = np.stack([epoch_order(labels[rows], rows, balance, seed, epoch) for epoch in epochs])

    def load(chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        return images[chosen]

    def prepared(step: tf.Tensor, chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        raw = tf.ensure_shape(tf.numpy_function(load, [chosen], tf.uint8), (None, *images.shape[1:]))
        draw = tf.stack([tf.constant(seed, tf.int64), step])
        changed = augment(raw, draw, size, augmentation)
        label = tf.gather(labels, chosen)
        weight = tf.gather(balance.weights.astype(np.float32), label)
        return changed, tf.one_hot(label, classes), weight

    dataset = tf.data.Dataset.from_tensor_slices(orders.astype(np.int64))
    dataset = dataset.flat_map(lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch).take(steps))
    dataset = dataset.enumerate(start=epochs.start * steps)
    return dataset.map(prepared, num_parallel_calls=2, deterministic=True).prefetch(4)

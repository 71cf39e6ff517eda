"""Score-CAM (Wang et al. 2020, arXiv:1910.01279), signed: without the final ReLU."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from explain.method import BATCH, Estimate, Question
from model.prediction import batches

EVALUATIONS = 1282  # what the shipped network's 1,280 channels take

Array = NDArray[np.float32]


def score_cam(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by Score-CAM at the last feature map, its most varied channels first.

    A channel counts for its increase of the score: that of the image seen through the channel, scaled to [0, 1], less
    that of a black image. Departures: the increases weigh as they are, without a softmax over the channels, which
    would lose their sign and make the map of a contrast none; a channel that is the same everywhere is passed over.
    One evaluation a channel and two more, however many classes.
    """
    features = question.predictor.run(question.image[np.newaxis]).features[0]
    black = question.predictor.logits(np.zeros_like(question.image)[np.newaxis])[0] @ question.weights
    channels = varied_channels(features)
    values, total = np.zeros(features.shape[:2], np.float32), len(channels) + 2
    if not len(channels):
        yield Estimate(values, 2, {"channels": 0}, total=2)
    for batch in batches(len(channels), BATCH):
        chosen = channels[batch]
        values = values + features[..., chosen] @ (channel_scores(question, features, chosen) - black)
        yield Estimate(values, batch.stop + 2, {"channels": batch.stop}, total=total)


def varied_channels(features: Array) -> NDArray[np.intp]:
    """The channels of features (height, width, channels) that are not constant, by falling standard deviation."""
    deviations = features.std(axis=(0, 1))
    order: NDArray[np.intp] = np.argsort(-deviations, kind="stable")
    varied: NDArray[np.intp] = order[np.ptp(features, axis=(0, 1))[order] > 0]
    return varied


def channel_scores(question: Question, features: Array, channels: NDArray[np.intp]) -> Array:
    """The scores (n,) of the question's image seen through n of the channels of its features."""
    masks = _enlarged(features[..., channels], question.image.shape[0])
    low, high = masks.min(axis=(1, 2), keepdims=True), masks.max(axis=(1, 2), keepdims=True)
    masks = (masks - low) / (high - low)
    scores: Array = question.predictor.logits(masks[..., np.newaxis] * question.image) @ question.weights
    return scores


def _enlarged(maps: Array, size: int) -> Array:
    """Maps (height, width, n) as (n, size, size): bilinear, corner pixel on corner pixel."""
    rows, columns = (_interpolation(side, size) for side in maps.shape[:2])
    enlarged = rows @ np.moveaxis(maps, -1, 0) @ columns.T
    return enlarged.astype(np.float32, copy=False)


def _interpolation(side: int, size: int) -> Array:
    """The matrix (size, side) that interpolates `size` values between `side` ones."""
    places = np.linspace(0, side - 1, size)
    weights: Array = np.maximum(1 - np.abs(places[:, np.newaxis] - np.arange(side)), 0).astype(np.float32)
    return weights

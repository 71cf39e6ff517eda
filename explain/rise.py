"""RISE (Petsiuk et al. 2018, arXiv:1806.07421): how much higher the score is where a place shows through a mask."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explain.baseline import blur_width, blurred
from explain.method import BATCH, Estimate, Question
from explain.regions import superpixels
from explain.settling import NORMAL_95, sampled_rank_stability, settled
from model.prediction import batches

SAMPLES = 2000
CELLS = 8
SHOWN = 0.5


def random_masks_gains(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by the mean score under the masks that show a place, less the mean score.

    As published, a mask is a coarse grid of cells shown with probability 1/2, enlarged bilinearly and shifted at
    random. Departures: what a mask hides is blurred instead of black; the mean score is taken off, so that the map has
    a sign; and every mask comes with its complement, which is as probable. With M and 1 - M, of scores f and g, the
    published weighted mean is the plain mean over the pairs of (M - 1/2) (f - g), whose standard error gives the
    interval of every pixel. The map has settled when the ranking of its superpixels' means has.
    """
    image, baseline = (picture.astype(np.float32) for picture in (question.image, blurred(question.image)))
    segments = superpixels(question.image)
    area = np.bincount(segments.ravel())
    random = np.random.default_rng(question.seed)
    size = image.shape[0]
    total, squares = np.zeros((2, size, size))
    by_region: list[NDArray[np.float64]] = []
    for batch in batches(SAMPLES, BATCH):
        masks = np.stack([smooth_mask(size, random) for _ in range(batch.start, batch.stop, 2)])
        pair = np.stack([masks, 1 - masks], axis=1).reshape(-1, size, size, 1)
        scores = question.predictor.logits(baseline + pair * (image - baseline)) @ question.weights
        gains = (masks - SHOWN) * (scores[::2] - scores[1::2]).astype(np.float64)[:, np.newaxis, np.newaxis]
        total += gains.sum(axis=0)
        squares += (gains**2).sum(axis=0)
        by_region += [np.bincount(segments.ravel(), gain.ravel()) / area for gain in gains]
        pairs = batch.stop // 2
        values = total / pairs
        error = np.sqrt((squares / pairs - values**2).clip(min=0) / (pairs - 1))
        regions = np.stack(by_region)
        deviations = (regions - regions.mean(axis=0)) / np.sqrt(pairs * (pairs - 1))
        stability = sampled_rank_stability(regions.mean(axis=0), deviations)
        parameters = {
            "cells": CELLS,
            "shown": SHOWN,
            "baseline": "box blur",
            "baseline_pixels": blur_width(size),
            "rank_stability": stability,
        }
        yield Estimate(
            values.astype(np.float32),
            batch.stop,
            parameters,
            (NORMAL_95 * error).astype(np.float32),
            settled=settled(stability, *deviations.shape),
        )


def smooth_mask(size: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A random grid of CELLS × CELLS, enlarged and shifted, float32 (size, size) in [0, 1], as RISE draws it.

    The grid is enlarged to one cell more than the image on either axis, from which a window of the image's size is cut.
    """
    cell = -(-size // CELLS)
    side = (CELLS + 1) * cell
    grid = (random.random((CELLS, CELLS)) < SHOWN).astype(np.float32)
    enlarged = np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BILINEAR))
    top, left = random.integers(0, cell, 2)
    return enlarged[top : top + size, left : left + size]

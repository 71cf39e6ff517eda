"""Controls: maps that know nothing of the network. A method whose map is no better than theirs explains nothing."""

from collections.abc import Callable, Iterator
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from explain.method import Estimate, Question

CELLS = 8
SPREAD = 0.25


def random_map(question: Question) -> Iterator[Estimate]:
    """Random numbers, uniform in [0, 1), at 8 × 8 places: as coarse as a last feature map.

    Other numbers for every image and seed, so that a mean over images is not one of a single draw.
    """
    random = np.random.default_rng([question.seed, crc32(question.image.tobytes())])
    yield Estimate(random.random((CELLS, CELLS), np.float32), evaluations=0, parameters={"cells": CELLS})


def centred_gaussian(question: Question) -> Iterator[Estimate]:
    """A Gaussian in the middle, 1 at its top, with a quarter of the side as standard deviation.

    Lesions are centred in dermatoscopy, so that it finds most of them without looking.
    """
    size = question.image.shape[0]
    places = (np.arange(size) - (size - 1) / 2) / (SPREAD * size)
    profile = np.exp(-(places**2) / 2)
    values = np.outer(profile, profile).astype(np.float32)
    yield Estimate(values, evaluations=0, parameters={"standard_deviation": SPREAD * size})


def edges(question: Question) -> Iterator[Estimate]:
    """The strength of the edges in the image's luminance, in [0, 1] (Sobel, by scikit-image)."""
    from skimage import color, filters

    sobel: Callable[..., NDArray[np.floating]] = filters.sobel
    yield Estimate(sobel(color.rgb2gray(question.image)).astype(np.float32), evaluations=0)

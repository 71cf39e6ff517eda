"""The images that benchmarks of explanations ask about."""

import numpy as np
from numpy.typing import NDArray

from model.images import decode, prepare
from model.phantoms import SAMPLES, sample
from tests.conftest import HAM10000


def prepared_images(count: int, size: int) -> list[NDArray[np.uint8]]:
    """`count` of HAM10000's, or the synthetic samples where they are not at hand; each uint8 (size, size, 3)."""
    originals = sorted((HAM10000 / "originals").glob("*.jpg"))
    spread = originals[:: max(1, len(originals) // count)]
    images = [decode(path) for path in spread] if originals else [sample(name).image for name in SAMPLES]
    return [prepare(image, size) for image in images[:count]]

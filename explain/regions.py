"""The regions of an image that can be hidden, and the network's score of what is left.

Every method that asks by superpixel asks about the same ones, so that its values compare with the others' region by
region.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explain.baseline import blur_width, blurred
from explain.method import Question

# SLIC makes about 25 of them, as many as lime's own segmentation finds in lesions. Twice as many, each moving the score
# half as much, would need four times the evaluations for an order as sure.
SEGMENTS = 30


def superpixels(image: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Divide an image, uint8 (size, size, 3), into about 25 regions that keep to edges (SLIC, Achanta et al. 2012).

    int (size, size), read-only, numbered from 0 without gaps; the same image always gives the same regions.
    """
    return _superpixels(image.tobytes(), image.shape)


@lru_cache(maxsize=8)
def _superpixels(pixels: bytes, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Remembered, since several methods are asked about one image at a time."""
    from skimage.segmentation import slic

    image = np.frombuffer(pixels, np.uint8).reshape(shape)
    segments: NDArray[np.intp] = slic(image, n_segments=SEGMENTS, compactness=10, sigma=1, start_label=0)
    segments.flags.writeable = False
    return segments


class RegionScores:
    """The target's score of an image of which only some regions show, the others being blurred.

    `regions` is int (size, size), numbered from 0 without gaps. Each choice of regions is evaluated once.
    """

    def __init__(self, question: Question, regions: NDArray[np.intp]) -> None:
        self.regions = regions
        self.count = int(regions.max()) + 1
        self.parameters = {"baseline": "box blur", "baseline_pixels": blur_width(question.image.shape[0])}
        self._region_of_value = np.repeat(regions.ravel(), question.image.shape[-1])
        self._baseline = blurred(question.image).astype(np.float32)
        self._difference = question.image - self._baseline
        self._predictor = question.predictor
        self._weights = question.weights
        self._known: dict[bytes, float] = {}

    def __call__(self, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores (n,) of n choices, bool (n, count), True where the image shows and False where the baseline."""
        keys = [choice.tobytes() for choice in shown]
        new = {key: choice for key, choice in zip(keys, shown, strict=True) if key not in self._known}
        if new:
            logits = self._predictor.logits(self._images(np.stack([*new.values()])))
            self._known.update(zip(new, (logits @ self._weights).tolist(), strict=True))
        return np.array([self._known[key] for key in keys])

    @property
    def evaluations(self) -> int:
        """How many images went through the network."""
        return len(self._known)

    @property
    def extremes(self) -> tuple[float, float]:
        """The scores where nothing shows and where everything does."""
        nothing = np.zeros(self.count, bool)
        blank, whole = self(np.stack([nothing, ~nothing])).tolist()
        return blank, whole

    def _images(self, shown: NDArray[np.bool_]) -> NDArray[np.float32]:
        """What n choices show, float32 (n, size, size, 3); exact, since both pictures have whole pixel values.

        Several times faster than `np.where`, which for the sampling methods would cost a quarter of the network's time.
        """
        images = shown.astype(np.float32).take(self._region_of_value, axis=1)
        images *= self._difference.ravel()
        images += self._baseline.ravel()
        return images.reshape(-1, *self._baseline.shape)

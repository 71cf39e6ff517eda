"""A check for images that are no dermatoscopy at all: how far they lie from the training cases in embedding space.

Embeddings are power-normalised and brought to unit length (Perronnin et al. 2010, doi:10.1007/978-3-642-15561-1_11),
so that the many weak channels, in which strange images differ, count beside the few strong ones. The distance is what
the training cases' leading principal components leave over of an embedding: the residual of Wang et al. 2022
(ViM, arXiv:2203.10807). An image without colour is none either; the network need not be asked.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NOVELTY_FILE = "novelty.npz"
# Of the 1,280 dimensions of EfficientNet-Lite0 so many that novelty.npz stays under 400 kB.
MAX_COMPONENTS = 150
POWER = 0.4
# Share of dermatoscopic images, of the validation part, that are taken for something else.
FALSE_ALARMS = 0.01
# Mean difference of an image's largest and smallest channel, of 255. In the training and validation part of fold 0 it
# is 5.3 at least.
LEAST_COLOUR = 2.0


@dataclass(frozen=True)
class Novelty:
    """How far an image lies from the training cases, and beyond which `threshold` it is `novel`; both in [0, 2].

    `colourless` images are novel at any distance.
    """

    distance: float
    threshold: float
    colourless: bool

    @property
    def novel(self) -> bool:
        """Whether the image does not look like the training cases."""
        return self.colourless or self.distance > self.threshold


@dataclass(frozen=True, eq=False)
class NoveltyCheck:
    """What is kept of the training cases: their `mean` (dimensions,) and leading `components` (k, dimensions).

    Both are float16 and belong to normalised embeddings; `threshold` is a distance.
    """

    mean: NDArray[np.float16]
    components: NDArray[np.float16]
    threshold: float

    def projected(self, embeddings: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where embeddings (n, dimensions) lie along the components, (n, k), and the length of the rest, (n,)."""
        components = self.components.astype(np.float32)
        centred = _normalised(embeddings) - self.mean.astype(np.float32)
        coordinates: NDArray[np.float32] = centred @ components.T
        lengths: NDArray[np.float32] = np.linalg.norm(centred - coordinates @ components, axis=1)
        return coordinates, lengths

    def distances(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The distances of embeddings (n, dimensions) to the training cases, (n,)."""
        return self.projected(embeddings)[1]

    def novelty(self, image: NDArray[np.uint8], embedding: NDArray[np.float32]) -> Novelty:
        """The verdict on one RGB image, uint8 (height, width, 3), by its embedding (dimensions,)."""
        colour = float(np.ptp(image.astype(np.int16), axis=-1).mean())
        return Novelty(float(self.distances(embedding[np.newaxis])[0]), self.threshold, colour < LEAST_COLOUR)


def fit_novelty(train_embeddings: NDArray[np.float32], validation_embeddings: NDArray[np.float32]) -> NoveltyCheck:
    """Fit the check to embeddings of the training part, and its threshold to those of the validation part.

    Both are float32 (n, dimensions). The threshold is the distance that one in a hundred validation images exceeds.
    """
    from sklearn.decomposition import PCA

    cases, dimensions = train_embeddings.shape
    count = max(1, min(MAX_COMPONENTS, dimensions // 4, cases // 4))
    pca = PCA(count, svd_solver="randomized", random_state=0).fit(_normalised(train_embeddings))
    check = NoveltyCheck(pca.mean_.astype(np.float16), pca.components_.astype(np.float16), np.inf)
    threshold = np.quantile(check.distances(validation_embeddings), 1 - FALSE_ALARMS)
    return NoveltyCheck(check.mean, check.components, float(threshold))


def novelty_file(check: NoveltyCheck) -> bytes:
    """The content of novelty.npz."""
    buffer = BytesIO()
    np.savez(buffer, mean=check.mean, components=check.components, threshold=np.float32(check.threshold))
    return buffer.getvalue()


def read_novelty(path: Path) -> NoveltyCheck:
    """Read novelty.npz; raises ValueError, KeyError, OSError, EOFError or BadZipFile when it is not one."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        check = NoveltyCheck(arrays["mean"], arrays["components"], float(arrays["threshold"]))
    if check.components.ndim != 2 or check.mean.shape != check.components.shape[1:]:
        raise ValueError("its mean and components do not belong together")
    return check


def _normalised(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.sign(embeddings) * np.abs(embeddings) ** POWER
    lengths = np.linalg.norm(powers, axis=1, keepdims=True)
    unit: NDArray[np.float32] = powers / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit

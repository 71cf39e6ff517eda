"""LIME (Ribeiro et al. 2016, doi:10.1145/2939672.2939778): a linear surrogate of the network around one image."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from explain.baseline import blur_width, blurred
from explain.method import BATCH, Estimate, Question
from model.prediction import batches

SAMPLES = 1000
SEGMENTS = 50
KERNEL_WIDTH = 0.25


def lime_weights(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by the lime library: each pixel has its superpixel's weight in a ridge regression.

    About 50 SLIC superpixels; a hidden one shows the blurred image. The samples, their kernel and the fit are those
    of LimeImageExplainer.explain_instance; only its loop over the samples is replaced, which can neither be stopped
    nor show what it has. `local_fidelity` is the fit's weighted R², 1 where the surrogate says all that the network
    does.
    """
    from lime.lime_image import LimeImageExplainer
    from sklearn.metrics import pairwise_distances

    image = question.image
    segments = superpixels(image)
    baseline = blurred(image)
    explainer = LimeImageExplainer(kernel_width=KERNEL_WIDTH, random_state=question.seed)
    count = int(segments.max()) + 1
    shown = explainer.random_state.randint(0, 2, SAMPLES * count).reshape(SAMPLES, count)
    shown[0] = 1
    distances = pairwise_distances(shown, shown[:1], metric="cosine").ravel()
    scores = np.empty((SAMPLES, 1))
    for batch in batches(SAMPLES, BATCH):
        masks = shown[batch][:, segments, np.newaxis].astype(bool)
        scores[batch, 0] = question.predictor.logits(np.where(masks, image, baseline)) @ question.weights
        done = slice(batch.stop)
        intercept, regions, fidelity, _ = explainer.base.explain_instance_with_data(
            shown[done], scores[done], distances[done], label=0, num_features=count, feature_selection="none"
        )
        region_weights = np.array([weight for _, weight in sorted(regions)], np.float32)
        parameters = {
            "segments": count,
            "segmentation": "SLIC",
            "kernel_width": KERNEL_WIDTH,
            "baseline": "box blur",
            "baseline_pixels": blur_width(image.shape[0]),
            "intercept": float(intercept),
            "local_fidelity": float(fidelity),
        }
        yield Estimate(region_weights[segments], batch.stop, parameters)


def superpixels(image: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Divide an image, uint8 (size, size, 3), into about 50 regions that keep to edges (SLIC, Achanta et al. 2012).

    int (size, size), numbered from 0 without gaps; the same image always gives the same regions.
    """
    from skimage.segmentation import slic

    segments: NDArray[np.intp] = slic(image, n_segments=SEGMENTS, compactness=10, sigma=1, start_label=0)
    return segments

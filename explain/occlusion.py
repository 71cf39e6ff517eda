"""Occlusion (Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53): what the score loses with each region."""

from collections.abc import Iterator

import numpy as np

from explain.method import BATCH, Estimate, Question
from explain.regions import SEGMENTS, RegionScores, superpixels
from model.prediction import batches

EVALUATIONS = SEGMENTS + 1


def occluded_losses(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by hiding one superpixel at a time; a region not yet hidden has the value 0.

    Zeiler & Fergus slide a grey square over the image; here a region keeps to edges and shows the blurred image, as in
    LIME and SHAP. The result is exact: nothing is sampled.
    """
    scores = RegionScores(question, superpixels(question.image))
    masks = ~np.eye(scores.count + 1, scores.count, -1, dtype=bool)
    results = np.empty(len(masks))
    values = np.zeros(scores.count, np.float32)
    for batch in batches(len(masks), BATCH):
        results[batch] = scores(masks[batch])
        values[: batch.stop - 1] = results[0] - results[1 : batch.stop]
        parameters = {"segments": scores.count, "segmentation": "SLIC", "score": float(results[0]), **scores.parameters}
        yield Estimate(
            values[scores.regions],
            batch.stop,
            parameters,
            settled=batch.stop == len(masks),
            total=len(masks),
        )

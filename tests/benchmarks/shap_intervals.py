"""What SHAP's intervals after 500 evaluations are worth, against the Owen values by their definition.

`covered` is the share of the cells whose value after every division, 43,692 evaluations, lies in its 95 % interval, of
each image; `expected_correlations` are those that the maps say of themselves, over superpixels, and
`found_correlations` what they are. The images are five of HAM10000's, or the synthetic samples where they are not at
hand; each takes minutes.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from explain.attribution import Target
from explain.method import BATCH, Estimate, Question
from explain.owen import cell_shares, grid, owen_values
from explain.regions import RegionScores, superpixels
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.prediction import Predictor, batches
from tests.benchmarks.real_images import prepared_images
from tests.explain.exact_owen import exact_owen_values

COUNT = 5


def measure(count: int = COUNT) -> dict[str, object]:
    predictor = Predictor(load_bundle(DEFAULT_BUNDLE))
    images = prepared_images(count, predictor.bundle.card.size)
    runs = [run(Question(image, predictor, Target("mel"))) for image in images]
    covered, expected, found = (np.round(each, 3).tolist() for each in zip(*runs, strict=True))
    return {
        "name": "shap_intervals",
        "images": len(runs),
        "mean_covered": round(float(np.mean(covered)), 3),
        "covered": covered,
        "expected_correlations": expected,
        "found_correlations": found,
    }


def run(question: Question) -> tuple[float, float, float]:
    """The share of cells whose exact value lies in the interval, and the expected and the found rank correlation."""
    cells = grid(question.image.shape[0])
    scores = RegionScores(question, cells)

    def score(shown: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.concatenate([scores(shown[batch]) for batch in batches(len(shown), BATCH)])

    exact = exact_owen_values(score)
    estimate = last(question)
    assert estimate.interval is not None
    inside = np.abs(estimate.values.ravel() - exact) <= estimate.interval.ravel()
    means = cell_shares(cells, superpixels(question.image))
    found = spearmanr(means @ estimate.values.ravel(), means @ exact).statistic
    return float(inside.mean()), float(estimate.parameters["rank_stability"]), float(found)


def last(question: Question) -> Estimate:
    *_, estimate = owen_values(question)
    return estimate

"""What SHAP's intervals after 500 evaluations are worth, against the Owen values by their definition.

`covered` is the share of the cells whose value after every division, 43,692 evaluations, lies in its 95 % interval, of
each image, and `strongest_covered` that of the tenth of the cells that count for most. `expected_correlations` are
those that the maps say of themselves, over superpixels, `found_correlations` what they are, and `settled` counts the
images on which the order of superpixels settled before the 500. Each image takes minutes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from explain.attribution import Target
from explain.method import BATCH, Question
from explain.owen import cell_shares, grid, owen_values
from explain.regions import RegionScores, superpixels
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.prediction import Predictor, batches
from tests.benchmarks.real_images import prepared_images
from tests.explain.exact_owen import exact_owen_values

COUNT = 5
LEVEL = 0.95


@dataclass(frozen=True)
class Run:
    """One image: the shares of cells in their intervals, and the rank correlation as expected and as found."""

    covered: float
    strongest_covered: float
    expected: float
    found: float
    settled: bool


def measure(count: int = COUNT) -> dict[str, object]:
    predictor = Predictor(load_bundle(DEFAULT_BUNDLE))
    images = prepared_images(count, predictor.bundle.card.size)
    runs = [run(Question(image, predictor, Target("mel"))) for image in images]
    mean = float(np.mean([run.covered for run in runs]))
    return {
        "name": "shap_intervals",
        "images": len(runs),
        "mean_covered": round(mean, 3),
        "must": LEVEL,
        "met": mean >= LEVEL,
        "covered": [round(run.covered, 3) for run in runs],
        "strongest_covered": [round(run.strongest_covered, 3) for run in runs],
        "mean_strongest_covered": round(float(np.mean([run.strongest_covered for run in runs])), 3),
        "expected_correlations": [round(run.expected, 3) for run in runs],
        "found_correlations": [round(run.found, 3) for run in runs],
        "settled": sum(run.settled for run in runs),
    }


def run(question: Question) -> Run:
    cells = grid(question.image.shape[0])
    scores = RegionScores(question, cells)

    def score(shown: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.concatenate([scores(shown[batch]) for batch in batches(len(shown), BATCH)])

    exact = exact_owen_values(score)
    estimates = [*owen_values(question)]
    last = estimates[-1]
    assert last.interval is not None
    values = last.values.ravel()
    inside = np.abs(values - exact) <= last.interval.ravel()
    strongest = np.argsort(-np.abs(values))[: len(values) // 10]
    means = cell_shares(cells, superpixels(question.image))
    return Run(
        float(inside.mean()),
        float(inside[strongest].mean()),
        float(last.parameters["rank_stability"]),
        float(spearmanr(means @ values, means @ exact).statistic),
        any(estimate.settled for estimate in estimates),
    )

"""When a method may stop: once more evaluations would hardly change the order of the regions any more."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

SETTLED = 0.95
DRAWS = 200
NORMAL_95 = 1.96
ROUNDING = 1e-6  # of scores, which are float32

Matrix = NDArray[np.float64]


def half_widths(deviations: Matrix) -> NDArray[np.float32]:
    """Half the width of the 95 % interval of every value, float32 (regions,), from `deviations` (parts, regions).

    A part is what varies independently of the rest, such as a sample; its row says how much it adds to the values'
    uncertainty.
    """
    widths: NDArray[np.float32] = (NORMAL_95 * np.sqrt((deviations**2).sum(axis=0))).astype(np.float32)
    return widths


def rank_stability(values: Matrix, deviations: Matrix) -> float:
    """The Spearman correlation to be expected of the regions' `values` (regions,) with those of endless evaluations.

    It holds where the values lie in the middle of what is possible, as where nothing is drawn by chance. The mean over
    200 draws from the estimate's own uncertainty (wild bootstrap, Wu 1986, doi:10.1214/aos/1176350142: the rows of
    `deviations`, each with a random normal weight), which keeps how the regions' errors hang together. Differences of
    less than a thousandth of the values' range, or than rounding, are ties. Visani et al. 2022
    (doi:10.1080/01605682.2020.1865846) measure LIME's stability over repeated runs; this needs one, and is known while
    it runs. The draws are seeded.
    """
    weights = np.random.default_rng(0).standard_normal((DRAWS, len(deviations)))
    unit = max(np.ptp(values) / 1000, ROUNDING)
    found, drawn = (_centred_ranks(np.round(each / unit)) for each in (values, values + weights @ deviations))
    if not found.any():
        return float(not drawn.any())
    lengths = np.sqrt((drawn**2).sum(axis=1) * (found @ found))
    return float(np.divide(drawn @ found, lengths, out=np.zeros(DRAWS), where=lengths > 0).mean())


def sampled_rank_stability(values: Matrix, deviations: Matrix) -> float:
    """The same of values that are means of random samples, and so hold an error as large as the draws' already.

    With S the variance of the truth over the regions and N that of the error, the draws correlate r = √((S + N) / (S +
    2N)) with the values, and the values √(S / (S + N)) = √(2 - 1 / r²) with the truth, by Pearson's correlation. Of
    normal values Spearman's is 6 / π asin(r / 2) (Pearson 1907), which is taken to hold.
    """
    with_draws = 2 * np.sin(np.pi / 6 * rank_stability(values, deviations))
    with_truth = np.sqrt(max(0.0, 2 - 1 / with_draws**2)) if with_draws > 0 else 0.0
    return float(6 / np.pi * np.arcsin(with_truth / 2))


def settled(stability: float, parts: int, regions: int) -> bool:
    """Whether the order of the regions has settled: a `stability` of 0.95, from more parts than there are regions.

    With fewer a regression passes through nearly every sample, and what it misses says little; nor do a few divisions
    tell of the uncertainty of all regions.
    """
    return stability >= SETTLED and parts > regions


def _centred_ranks(values: Matrix) -> Matrix:
    ranks = rankdata(values, axis=-1)
    centred: Matrix = ranks - ranks.mean(axis=-1, keepdims=True)
    return centred

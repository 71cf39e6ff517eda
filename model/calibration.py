"""Temperature scaling of logits (Guo et al. 2017, arXiv:1706.04599)."""

import numpy as np
from numpy.typing import NDArray


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """The temperature under which `labels` (n,) are most likely given `logits` (n, classes); between 0.05 and 20."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_temperature: float) -> float:
        log_probabilities = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return float(-log_probabilities[np.arange(len(labels)), labels].mean())

    result = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(result.x))

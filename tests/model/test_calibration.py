import numpy as np
import pytest
from scipy.special import softmax

from model.calibration import fit_temperature


def test_recovers_the_temperature_of_overconfident_logits() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20_000, 7)).astype(np.float32)
    chances = softmax(logits, axis=1)
    labels = (chances.cumsum(axis=1) < generator.random((len(logits), 1))).sum(axis=1)
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.05)

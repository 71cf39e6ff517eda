"""A table of made-up predictions that has what real ones have: rare classes, lesions of several images, mistakes."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from analysis.predictions import annotate
from model.classes import CODES


def make_predictions(cases: int = 400, seed: int = 0) -> pd.DataFrame:
    """A valid table of test predictions as `read_predictions` takes it, without the columns it adds."""
    random = np.random.default_rng(seed)
    lesion_truth = random.choice(len(CODES), size=cases, p=[0.05, 0.06, 0.14, 0.03, 0.15, 0.52, 0.05])
    lesion_of_case = np.sort(random.integers(0, cases * 2 // 3, cases))
    truth = lesion_truth[lesion_of_case]
    logits = random.normal(0, 1.2, (cases, len(CODES))).astype(np.float32)
    logits[np.arange(cases), truth] += 2
    shares = softmax(logits.astype(np.float64), axis=1)
    codes = np.asarray(CODES)
    return pd.DataFrame(
        {
            "image_id": [f"ISIC_{index:07d}" for index in range(cases)],
            "lesion_id": [f"HAM_{lesion:07d}" for lesion in lesion_of_case],
            "diagnosis": codes[truth],
            "confirmation": random.choice(["histo", "follow_up", "consensus"], cases),
            "age": np.where(random.random(cases) < 0.05, np.nan, random.integers(1, 17, cases) * 5.0),
            "sex": random.choice(["male", "female", "unknown"], cases),
            "site": random.choice(["back", "face", "unknown"], cases),
            "predicted": codes[logits.argmax(axis=1)],
            **{f"logit_{code}": logits[:, index] for index, code in enumerate(CODES)},
            **{f"probability_{code}": shares[:, index] for index, code in enumerate(CODES)},
            "gradcam": list(random.normal(0, 1, (cases, len(CODES) * 9)).astype(np.float32)),
        }
    )


@pytest.fixture(scope="session")
def predictions() -> pd.DataFrame:
    return annotate(make_predictions(), CODES)

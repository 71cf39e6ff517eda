"""Made-up predictions of a leaky and of an honest network."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.audit import write_table
from analysis.leakage import APART, Training, predictions_file
from model.training import settings
from tests.analysis.conftest import make_predictions

SETTINGS = settings({"seed": 0}, apart=APART)
LEAKY = Training("leaky", "lesion_cnn", 64, "oversampled", 0, 32_872, 32, 10, 10_270, 8, SETTINGS, "abc")
HONEST = Training("honest", "lesion_cnn", 64, "lesion", 0, 7_010, 32, 47, 10_293, 30, SETTINGS, "abc")


def measured(training: Training = LEAKY) -> pd.DataFrame:
    """Made-up predictions, of which every other row is seen if the training is leaky."""
    table = make_predictions()
    random = np.random.default_rng(1)
    seen = (np.arange(len(table)) % 2 == 0) & (training.protocol == "oversampled")
    adjusted = np.where(random.random(len(table)) < 0.8, table["predicted"], "df")
    table = table.assign(adjusted=adjusted, image_in_training=seen, lesion_in_training=seen)
    table.attrs = {"training": asdict(training)}
    return table


def write_both(folder: Path) -> None:
    """Write the predictions of both as `lesionlens leakage --save` does."""
    for training in (LEAKY, HONEST):
        write_table(folder / predictions_file(training.protocol), measured(training))

"""Nothing that is fitted can see a label of the test part: with other labels there, the model stays bit by bit."""

import numpy as np
import pandas as pd
import pytest

from model.bundle import CARD_FILE, ONNX_FILE, PREDICTIONS_FILE, ModelBundle, load_bundle
from tests.app.tiny_training import train

# Runs the command on the true split; from there on everything known of the test part but its images is another's.
POISONED = """
import sys
import model.splits
from app.cli import main

plain = model.splits.split

def split(cases, *arguments):
    parts = plain(cases, *arguments)
    for column in ("diagnosis", "confirmation", "age", "sex", "site"):
        values = cases[column].to_numpy(copy=True)
        values[parts.test] = values[parts.test][::-1]
        cases[column] = values
    return parts

model.splits.split = split
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def honest(uninterrupted: ModelBundle) -> ModelBundle:
    return uninterrupted


@pytest.fixture(scope="module")
def poisoned(tiny: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = tmp_path_factory.mktemp("poisoned") / "run"
    assert train(folder, *tiny, script=POISONED) == 0
    return load_bundle(folder / "bundle")


def test_the_poison_reached_the_test_part(honest: ModelBundle, poisoned: ModelBundle) -> None:
    true, other = (pd.read_parquet(bundle.predictions_path) for bundle in (honest, poisoned))
    assert list(true["image_id"]) == list(other["image_id"])
    assert (true["diagnosis"] != other["diagnosis"]).any()
    assert honest.card.metrics != poisoned.card.metrics


def test_all_that_is_fitted_is_the_same_bit_by_bit(honest: ModelBundle, poisoned: ModelBundle) -> None:
    assert poisoned.card.temperature == honest.card.temperature
    assert poisoned.card.class_prior == honest.card.class_prior
    # tf2onnx orders what it writes otherwise in each run; that the graphs compute the same is seen in the logits below.
    differing = {CARD_FILE, PREDICTIONS_FILE, ONNX_FILE, "history.csv"}
    files = {file.name for file in honest.path.iterdir()} - differing
    assert {"weights.safetensors", "metadata.npz", "novelty.npz", "validation_predictions.parquet"} <= files
    for name in files:
        assert (poisoned.path / name).read_bytes() == (honest.path / name).read_bytes(), name
    logits = [column for column in pd.read_parquet(honest.predictions_path) if column.startswith(("logit", "prob"))]
    true, other = (pd.read_parquet(bundle.predictions_path)[logits] for bundle in (honest, poisoned))
    pd.testing.assert_frame_equal(true, other)


def test_the_epoch_was_chosen_alike(honest: ModelBundle, poisoned: ModelBundle) -> None:
    histories = [pd.read_csv(bundle.path / "history.csv") for bundle in (honest, poisoned)]
    columns = [column for column in histories[0] if "seconds" not in column]
    assert "validation_macro_auc" in columns
    np.testing.assert_array_equal(histories[0][columns], histories[1][columns])

"""Nothing that is fitted can see a label of the test part: with other labels there, the model stays bit by bit."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.bundle import CARD_FILE, ONNX_FILE, PREDICTIONS_FILE, ModelBundle, load_bundle

TINY = ("--limit", "64", "--size", "32", "--batch", "8", "--epochs", "2", "--network", "lesion_cnn")

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


def trained(folder: Path, data: Path, script: str) -> ModelBundle:
    arguments = ("--data", str(data), "--cache", str(folder / "cache"), "--out", str(folder / "run"), *TINY)
    done = subprocess.run(
        [sys.executable, "-c", script, "train", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return load_bundle(folder / "run" / "bundle")


@pytest.fixture(scope="module")
def honest(ham10000: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    script = "import sys; from app.cli import main; sys.exit(main(sys.argv[1:]))"
    return trained(tmp_path_factory.mktemp("honest"), ham10000, script)


@pytest.fixture(scope="module")
def poisoned(ham10000: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return trained(tmp_path_factory.mktemp("poisoned"), ham10000, POISONED)


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

"""`lesionlens train` on real images, killed and resumed in every way."""

import signal
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from app.commands.train import default_name, limited
from model.bundle import CARD_FILE, ONNX_FILE, PREDICTIONS_FILE, ModelBundle, load_bundle
from model.training import Configuration
from tests.app.tiny_training import train

# Runs the command with a kill -9 of itself placed where an outside kill could hit only by chance.
KILLED_IN_CHECKPOINT = """
import os, signal, sys
import model.atomic, model.checkpoint
from app.cli import main

plain, writes = model.checkpoint.write_atomically, []

def write(path, content):
    writes.append(path)
    if len(writes) == 2:
        model.atomic.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
    plain(path, content)

model.checkpoint.write_atomically = write
sys.exit(main(sys.argv[1:]))
"""
KILLED_IN_BUNDLE = """
import os, signal, sys
import analysis.audit
from app.cli import main

analysis.audit.write_table = lambda path, table: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main(sys.argv[1:]))
"""
KILLED_IN_EPOCH = """
import os, signal, sys
from app.cli import main
from app.training_display import TrainingDisplay

plain = TrainingDisplay.show

def show(self, progress):
    plain(self, progress)
    if (progress.epoch, progress.step) == (2, 3):
        os.kill(os.getpid(), signal.{signal})

TrainingDisplay.show = show
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background would ignore
sys.exit(main(sys.argv[1:]))
"""

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


def weights(bundle: ModelBundle) -> Mapping[str, np.ndarray]:
    """All weights in the bundle by their path."""
    return load_file(bundle.weights_path)


def test_stopped_killed_three_times_and_resumed_it_ends_with_the_same_weights(
    tiny: tuple[str, ...], uninterrupted: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, *tiny, script=KILLED_IN_EPOCH.format(signal="SIGINT")) == 0
    holds_the_best_epoch_so_far(tmp_path)
    assert train(tmp_path, *tiny, "--resume", script=KILLED_IN_EPOCH.format(signal="SIGKILL")) == -signal.SIGKILL
    refuses_to_resume_another_training(tmp_path, tiny, capsys)
    assert train(tmp_path, *tiny, "--resume", script=KILLED_IN_CHECKPOINT) == -signal.SIGKILL
    assert train(tmp_path, *tiny, "--resume", script=KILLED_IN_BUNDLE) == -signal.SIGKILL
    holds_the_best_epoch_so_far(tmp_path)
    assert train(tmp_path, *tiny, "--resume") == 0
    resumed = load_bundle(tmp_path / "bundle")
    assert resumed.card.training["completed"]
    expected, given = weights(uninterrupted), weights(resumed)
    assert expected.keys() == given.keys()
    for name, weight in expected.items():
        np.testing.assert_array_equal(given[name], weight, err_msg=name)
    pd.testing.assert_frame_equal(
        pd.read_parquet(resumed.predictions_path), pd.read_parquet(uninterrupted.predictions_path)
    )


def holds_the_best_epoch_so_far(folder: Path) -> None:
    stopped = load_bundle(folder / "bundle").card.training
    assert not stopped["completed"]
    assert stopped["epochs_done"] == 1


def refuses_to_resume_another_training(folder: Path, tiny: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    from app.cli import main

    assert main(["train", "--out", str(folder), *tiny, "--resume", "--fold", "1"]) == 2
    assert "was started otherwise: fold 0 there, 1 here" in capsys.readouterr().err
    assert main(["train", "--out", str(folder), *tiny]) == 2
    assert "go on with --resume" in capsys.readouterr().err
    assert main(["train", "--out", str(folder), *tiny, "--resume", "--limit", "70"]) == 2
    assert "was started otherwise: data" in capsys.readouterr().err


def test_a_finished_training_has_a_measured_bundle(uninterrupted: ModelBundle, ham10000: Path) -> None:
    card = uninterrupted.card
    assert "CC BY-NC 4.0" in card.licence
    assert "ImageNet" not in card.licence  # lesion_cnn starts from scratch
    assert card.training["completed"]
    assert card.training["epochs_done"] == len(pd.read_csv(uninterrupted.path / "history.csv")) == 3
    predictions = pd.read_parquet(uninterrupted.predictions_path)
    assert len(predictions) == card.split["test"] == card.metrics["cases"]
    assert card.metrics["accuracy"]["value"] == pytest.approx(
        (predictions["predicted"] == predictions["diagnosis"]).mean()
    )


def test_only_the_very_same_training_is_finished(uninterrupted: ModelBundle, tiny: tuple[str, ...]) -> None:
    from app.cli import main

    folder = uninterrupted.path.parent
    assert main(["train", "--out", str(folder), *tiny]) == 0
    assert main(["train", "--out", str(folder), *tiny, "--seed", "1"]) == 2
    assert load_bundle(folder / "bundle").card == uninterrupted.card


def test_the_pretrained_network_on_a_leaky_split_says_so_and_leaves_alone_what_lies_in_its_folder(
    ham10000: Path, cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".somebody's.part").touch()
    arguments = ("--data", str(ham10000), "--cache", str(cache), "--limit", "64", "--size", "64", "--batch", "8")
    assert train(tmp_path, *arguments, "--epochs", "1", "--protocol", "oversampled") == 0
    card = load_bundle(tmp_path / "bundle").card
    assert card.training["epochs_done"] == 1
    assert card.split["test_images_in_training"] > 0.3
    assert f"{card.split['test_images_in_training']:.1%} are images of the training part" in capfd.readouterr().out
    assert pd.read_parquet(tmp_path / "bundle" / "test_predictions.parquet")["image_id"].is_unique
    assert (tmp_path / ".somebody's.part").exists()


def test_nothing_to_resume(tiny: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from app.cli import main

    assert main(["train", "--out", str(tmp_path), *tiny, "--resume"]) == 2
    assert "no training" in capsys.readouterr().err


def test_a_limit_takes_the_classes_equally(ham10000_cases: pd.DataFrame) -> None:
    counts = limited(ham10000_cases, 64)["diagnosis"].value_counts()
    assert counts.sum() == 64
    assert counts.min() == 9
    assert counts.max() == 10


def test_a_training_is_named_by_its_settings() -> None:
    assert default_name(Configuration(fold=2, size=192)) == "efficientnet_lite0_lesion_fold2_192px"


@pytest.fixture(scope="module")
def poisoned(tiny: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = tmp_path_factory.mktemp("poisoned") / "run"
    assert train(folder, *tiny, script=POISONED) == 0
    return load_bundle(folder / "bundle")


def test_the_poison_reached_the_test_part(uninterrupted: ModelBundle, poisoned: ModelBundle) -> None:
    true, other = (pd.read_parquet(bundle.predictions_path) for bundle in (uninterrupted, poisoned))
    assert list(true["image_id"]) == list(other["image_id"])
    assert (true["diagnosis"] != other["diagnosis"]).any()
    assert uninterrupted.card.metrics != poisoned.card.metrics


def test_nothing_that_is_fitted_sees_a_test_label(uninterrupted: ModelBundle, poisoned: ModelBundle) -> None:
    assert poisoned.card.temperature == uninterrupted.card.temperature
    assert poisoned.card.class_prior == uninterrupted.card.class_prior
    # tf2onnx orders what it writes otherwise in each run; that the graphs compute the same is seen in the logits below.
    differing = {CARD_FILE, PREDICTIONS_FILE, ONNX_FILE, "history.csv"}
    files = {file.name for file in uninterrupted.path.iterdir()} - differing
    assert {"weights.safetensors", "metadata.npz", "novelty.npz", "validation_predictions.parquet"} <= files
    for name in files:
        assert (poisoned.path / name).read_bytes() == (uninterrupted.path / name).read_bytes(), name
    true, other = (
        pd.read_parquet(bundle.predictions_path).filter(regex="^(logit|probability)_")
        for bundle in (uninterrupted, poisoned)
    )
    assert len(true.columns) == 2 * len(uninterrupted.card.classes)
    pd.testing.assert_frame_equal(true, other)


def test_the_epoch_was_chosen_alike(uninterrupted: ModelBundle, poisoned: ModelBundle) -> None:
    histories = [pd.read_csv(bundle.path / "history.csv") for bundle in (uninterrupted, poisoned)]
    columns = [column for column in histories[0] if "seconds" not in column]
    assert "validation_macro_auc" in columns
    np.testing.assert_array_equal(histories[0][columns], histories[1][columns])

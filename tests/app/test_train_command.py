"""`lesionlens train` on real images, killed and resumed in every way."""

import signal
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from app.commands.train import default_name, limited
from model.bundle import ModelBundle, load_bundle
from model.cases import load_cases
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
sys.exit(main(sys.argv[1:]))
"""


def weights(bundle: ModelBundle) -> Mapping[str, np.ndarray]:
    """All weights in the bundle by their path."""
    return load_file(bundle.weights_path)


def test_killed_three_times_and_resumed_it_ends_with_the_same_weights(
    tiny: tuple[str, ...], uninterrupted: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, *tiny, script=KILLED_IN_EPOCH.format(signal="SIGKILL")) == -signal.SIGKILL
    refuses_to_resume_another_training(tmp_path, tiny, capsys)
    assert train(tmp_path, *tiny, "--resume", script=KILLED_IN_CHECKPOINT) == -signal.SIGKILL
    assert train(tmp_path, *tiny, "--resume", script=KILLED_IN_BUNDLE) == -signal.SIGKILL
    assert not (tmp_path / "bundle").exists()
    assert train(tmp_path, *tiny, "--resume") == 0
    resumed = load_bundle(tmp_path / "bundle")
    expected, given = weights(uninterrupted), weights(resumed)
    assert expected.keys() == given.keys()
    for name, weight in expected.items():
        np.testing.assert_array_equal(given[name], weight, err_msg=name)
    pd.testing.assert_frame_equal(
        pd.read_parquet(resumed.predictions_path), pd.read_parquet(uninterrupted.predictions_path)
    )


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
    folder = uninterrupted.path.parent
    assert train(folder, *tiny) == 0
    assert train(folder, *tiny, "--seed", "1") == 2
    assert load_bundle(folder / "bundle").card == uninterrupted.card


def test_ctrl_c_ends_with_the_best_epoch_and_can_be_resumed(
    tiny: tuple[str, ...], uninterrupted: ModelBundle, tmp_path: Path
) -> None:
    assert train(tmp_path, *tiny, script=KILLED_IN_EPOCH.format(signal="SIGINT")) == 0
    stopped = load_bundle(tmp_path / "bundle")
    assert not stopped.card.training["completed"]
    assert stopped.card.training["epochs_done"] == 1
    assert train(tmp_path, *tiny, "--resume") == 0
    for name, weight in weights(uninterrupted).items():
        np.testing.assert_array_equal(weights(load_bundle(tmp_path / "bundle"))[name], weight, err_msg=name)


def test_the_pretrained_network_on_real_images_leaves_alone_what_lies_in_its_folder(
    ham10000: Path, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / ".somebody's.part").touch()
    arguments = ("--data", str(ham10000), "--cache", str(cache), "--limit", "64", "--size", "64", "--batch", "8")
    assert train(tmp_path, *arguments, "--epochs", "1") == 0
    assert load_bundle(tmp_path / "bundle").card.training["epochs_done"] == 1
    assert (tmp_path / ".somebody's.part").exists()


def test_nothing_to_resume(tiny: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from app.cli import main

    assert main(["train", "--out", str(tmp_path), *tiny, "--resume"]) == 2
    assert "no training" in capsys.readouterr().err


def test_a_limit_takes_the_classes_equally(ham10000: Path) -> None:
    counts = limited(load_cases(ham10000), 64)["diagnosis"].value_counts()
    assert counts.sum() == 64
    assert counts.min() == 9
    assert counts.max() == 10


def test_a_training_is_named_by_its_settings() -> None:
    assert default_name(Configuration(fold=2, size=192)) == "efficientnet_lite0_lesion_fold2_192px"


def test_a_leaky_split_is_named_so(tiny: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path, *tiny, "--protocol", "oversampled", "--epochs", "1") == 0
    card = load_bundle(tmp_path / "bundle").card
    assert card.split["test_images_in_training"] > 0.3
    assert f"{card.split['test_images_in_training']:.1%} are images of the training part" in capfd.readouterr().out
    predictions = pd.read_parquet(tmp_path / "bundle" / "test_predictions.parquet")
    assert predictions["image_id"].is_unique

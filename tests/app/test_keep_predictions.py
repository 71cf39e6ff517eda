"""`lesionlens evaluate --keep`: an imported model's predictions of labelled images, and the pages that show them."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from keras import layers

from analysis.predictions import class_maps
from app.cli import main
from app.context import Context
from app.pages import render
from explain import explain
from model.bundle import load_bundle
from model.images import decode
from model.prediction import Predictor
from tests.model.data_sets import save_picture
from tests.model.foreign_models import SIZE, small

Output = pytest.CaptureFixture[str]
CLASSES = ("benign", "mel", "other")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a small network of three classes, one of them melanoma."""
    folder = tmp_path_factory.mktemp("imported")
    small(layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")).save(folder / "clinic.keras")
    wishes = ["--classes", ",".join(CLASSES), "--size", str(SIZE), "--out", str(folder / "clinic")]
    assert main(["import", str(folder / "clinic.keras"), *wishes]) == 0
    return folder / "clinic"


@pytest.fixture
def bundle(imported: Path, tmp_path: Path) -> Path:
    return copytree(imported, tmp_path / "clinic")


def labelled(root: Path, counts: dict[str, int]) -> Path:
    """A folder per class with so many phantoms each."""
    for number, (code, count) in enumerate(counts.items()):
        for index in range(count):
            save_picture(root / code / f"{code}_{index}.png", 10 * number + index)
    return root


def test_kept_predictions_are_the_model_s_with_their_maps(bundle: Path, tmp_path: Path, capsys: Output) -> None:
    data = labelled(tmp_path / "hospital", {"benign": 2, "mel": 2, "other": 1, "nv": 2})
    assert main(["evaluate", "--model", str(bundle), "--data", str(data), "--keep", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["cases"] == 5
    assert "Of 7 images 5 are taken: the model has no class for the diagnosis of the others." in said.err
    predictor = Predictor(load_bundle(bundle))
    kept = pd.read_parquet(predictor.bundle.predictions_path)
    assert sorted(kept["image_id"]) == ["benign_0", "benign_1", "mel_0", "mel_1", "other_0"]
    for _, row in kept.iterrows():
        image = decode(data / row["diagnosis"] / f"{row['image_id']}.png")
        assert row["predicted"] == predictor.predict(image).predicted
        expected = explain(image, predictor, "gradcam", "mel").values
        np.testing.assert_allclose(class_maps(row["gradcam"], CLASSES)["mel"], expected, atol=1e-5)


def test_the_pages_show_them_and_say_of_what_they_are(bundle: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "hospital", {"benign": 3, "mel": 3, "other": 3})
    assert main(["evaluate", "--model", str(bundle), "--data", str(data), "--keep"]) == 0
    context = Context(load_bundle(bundle), data)
    for path in ("/cases", "/cases/mel_0", "/metrics", "/confusion", "/pair/benign/mel", "/card"):
        page = str(render(context, path, {}))
        assert "On hospital: 9 images of 9 lesions. This model was trained elsewhere: whether it has learnt" in page
        assert "Calibrated probabilities" not in page
        assert "temperature scaling" not in page
        assert "its own test part" not in page


def test_data_without_a_case_of_every_class_are_not_kept(bundle: Path, tmp_path: Path, capsys: Output) -> None:
    data = labelled(tmp_path / "hospital", {"benign": 2, "mel": 2})
    assert main(["evaluate", "--model", str(bundle), "--data", str(data), "--keep"]) == 2
    assert "No case in" in (error := capsys.readouterr().err)
    assert "is other, a class of this model" in error
    assert not load_bundle(bundle).predictions_path.exists()
    assert main(["evaluate", "--model", str(bundle), "--data", str(data)]) == 0


def test_a_model_has_to_have_something_to_tell_apart(bundle: Path, tmp_path: Path, capsys: Output) -> None:
    data = labelled(tmp_path / "ham10000", {"nv": 2, "mel": 2})
    assert main(["evaluate", "--model", str(bundle), "--data", str(data)]) == 2
    assert (
        "is benign or other, a class of this model, so that there is nothing to tell apart" in capsys.readouterr().err
    )


@pytest.mark.parametrize("option", ["--tta", "--int8", "--ensemble"])
def test_what_is_kept_is_asked_once_of_the_model_alone(bundle: Path, option: str, capsys: Output) -> None:
    assert main(["evaluate", "--model", str(bundle), "--data", str(bundle), "--keep", option]) == 2
    assert "--keep keeps what the model alone says" in capsys.readouterr().err


def test_a_trained_model_keeps_its_own_test_part(capsys: Output) -> None:
    assert main(["evaluate", "--data", "anywhere", "--keep"]) == 2
    assert "keeps the predictions of its own test part" in capsys.readouterr().err


def test_it_is_exported_with_any_labelled_images(bundle: Path, tmp_path: Path, capsys: Output) -> None:
    data = labelled(tmp_path / "hospital", {"benign": 4, "mel": 4, "nv": 2})
    places = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main(["export", str(bundle), "--data", str(data), "--format", "onnx-int8", *places, "--json"]) == 0
    original, quantised = json.loads(capsys.readouterr().out)["formats"]
    assert (original["format"], quantised["format"]) == ("original", "onnx-int8")
    assert quantised["cases"] == 4  # of eight of its classes, four were for calibration
    assert quantised["bytes"] == (tmp_path / "out" / "serving_int8.onnx").stat().st_size

"""`lesionlens evaluate` prints scikit-learn's numbers in three forms."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import balanced_accuracy_score, recall_score

from app.cli import main
from model.bundle import ModelBundle, folds
from model.classes import CODES
from model.phantoms import SAMPLES, sample
from model.prediction import Predictor
from tests.app.figure_pages import without_predictions
from tests.app.two_folds import two_folds


@pytest.fixture(scope="module")
def table(bundle: ModelBundle) -> pd.DataFrame:
    return pd.read_parquet(bundle.predictions_path)


def test_json(bundle: ModelBundle, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(bundle.path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    balanced = balanced_accuracy_score(table["diagnosis"], table["predicted"])
    assert answer["balanced_accuracy"]["value"] == pytest.approx(balanced)
    assert [row["code"] for row in answer["classes"]] == list(CODES)


def test_markdown(bundle: ModelBundle, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(bundle.path), "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    melanoma = next(line for line in lines if line.startswith("| Melanoma (mel) |"))
    recall = recall_score(table["diagnosis"] == "mel", table["predicted"] == "mel")
    assert f" {recall:.3f} (" in melanoma
    assert len({line.count("|") for line in lines if "Precision" in line or "(mel)" in line}) == 1


def test_table(bundle: ModelBundle, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--model", str(bundle.path)]) == 0
    printed = capsys.readouterr().out
    assert f"{balanced_accuracy_score(table['diagnosis'], table['predicted']):.3f}" in printed
    assert f"{len(table):,} test images" in printed


def test_a_bundle_without_predictions_is_refused(
    bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = without_predictions(bundle, tmp_path)
    assert main(["evaluate", "--model", str(context.bundle.path)]) == 2
    assert "no test predictions" in capsys.readouterr().err


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled data set in the layout of a folder per class."""
    folder = tmp_path_factory.mktemp("phantoms")
    for index, name in enumerate(SAMPLES):
        (folder / CODES[index]).mkdir()
        Image.fromarray(sample(name).image).save(folder / CODES[index] / f"{name}.png")
    return folder


def test_a_data_set_is_predicted_and_its_predictions_are_saved(
    phantoms: Path, bundle: ModelBundle, predictor: Predictor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "phantoms.parquet"
    arguments = ["--model", str(bundle.path), "--data", str(phantoms), "--tta", "--save", str(file), "--json"]
    assert main(["evaluate", *arguments]) == 0
    saved = pd.read_parquet(file)
    assert json.loads(capsys.readouterr().out)["cases"] == len(SAMPLES) == len(saved)
    for _, row in saved.iterrows():
        expected = predictor.predict(sample(row["image_id"]).image, tta=True)
        assert row["predicted"] == expected.predicted
        np.testing.assert_allclose([row[f"logit_{code}"] for code in CODES], expected.logits, rtol=1e-5)
        assert row["entropy"] == pytest.approx(expected.entropy, rel=1e-5)
        assert expected.novelty is not None
        assert row["novel"] == expected.novelty.novel
    assert "disagreement" not in saved
    assert (saved["seconds"] > 0).all()


def test_the_ensemble_is_evaluated_on_what_is_new_to_it(
    phantoms: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, file = two_folds(bundle, tmp_path), tmp_path / "phantoms.parquet"
    arguments = ["--model", str(first), "--ensemble", "--data", str(phantoms), "--save", str(file)]
    assert main(["evaluate", *arguments]) == 0
    assert "and its other folds" in capsys.readouterr().out
    saved = pd.read_parquet(file)
    assert (saved["disagreement"] >= 0).all()
    assert saved["dissenters"].between(0, 2).all()
    logits = saved[[f"logit_{code}" for code in CODES]].to_numpy(np.float64)
    np.testing.assert_allclose(np.exp(logits), saved[[f"probability_{code}" for code in CODES]], rtol=1e-4)


def test_what_a_model_has_learnt_does_not_judge_it(
    phantoms: Path, bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = two_folds(bundle, tmp_path)
    second = folds(first)[1]
    # A folder per class has no lesions: every image is its own.
    names = sorted(file.stem for file in phantoms.rglob("*.*"))
    learnt(first, images=names[:2], lesions=names[2:3])
    assert main(["evaluate", "--model", str(first), "--data", str(phantoms), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["cases"] == len(names) - 3
    assert f"Of {len(names)} images {len(names) - 3} are taken" in captured.err
    learnt(second, images=names[3:], lesions=[])
    assert main(["evaluate", "--model", str(first), "--ensemble", "--data", str(phantoms)]) == 2
    assert "nothing to be judged by" in capsys.readouterr().err


def learnt(path: Path, images: list[str], lesions: list[str]) -> None:
    rows = [(image, "a lesion") for image in images] + [("an image", lesion) for lesion in lesions]
    pd.DataFrame(rows, columns=["image_id", "lesion_id"]).to_parquet(path / "learnt_cases.parquet")


@pytest.mark.parametrize("option", ["--tta", "--ensemble", "--save=predictions.parquet"])
def test_options_of_predicting_need_images(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", option]) == 2
    assert "name a data set by --data" in capsys.readouterr().err


def test_a_folder_to_save_to_that_is_not_there_is_refused_before_predicting(
    phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", str(phantoms), "--save", str(tmp_path / "no" / "file.parquet")]) == 2
    assert "Make it first" in capsys.readouterr().err

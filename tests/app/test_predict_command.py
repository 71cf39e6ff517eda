import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from model.bundle import ModelBundle
from model.classes import CODES, DIAGNOSES
from model.ensemble import open_ensemble
from model.images import decode
from model.phantoms import SAMPLES, sample
from model.prediction import Predictor
from tests.app.two_folds import two_folds
from tests.model.strange_images import photographs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in SAMPLES:
        Image.fromarray(sample(name).image).save(tmp_path / f"{name}.png")
    return tmp_path


def test_one_json_object_a_line_for_a_folder(
    folder: Path, predictor: Predictor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(folder), "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["image"] for answer in answers] == [str(folder / f"{name}.png") for name in sorted(SAMPLES)]
    for answer in answers:
        expected = predictor.predict(decode(Path(answer["image"])))
        assert list(answer)[:4] == ["image", "novelty", "predicted", "probabilities"]
        assert answer["disagreement"] is None
        assert (answer["entropy"], answer["relative_entropy"]) == (expected.entropy, expected.relative_entropy)
        assert answer["predicted"] == expected.predicted
        assert list(answer["probabilities"]) == list(CODES)
        np.testing.assert_allclose(list(answer["probabilities"].values()), expected.probabilities)


def test_what_is_no_image_is_named_and_the_others_are_predicted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    (folder / "text.jpg").write_text("no image")
    paths = [folder / "text.jpg", folder / "empty", folder / "missing.png", folder / "naevus.png"]
    assert main(["predict", *map(str, paths), "--json"]) == 1
    text, empty, missing, naevus = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert text == {"image": str(paths[0]), "error": text["error"]}
    assert "not a readable" in text["error"]
    assert "holds no image" in empty["error"]
    assert "missing.png" in missing["image"]
    assert naevus["predicted"] in CODES


def test_for_people_it_names_the_diagnoses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(folder / "naevus.png")]) == 0
    printed = capsys.readouterr().out
    assert all(diagnosis.name in printed for diagnosis in DIAGNOSES)
    assert printed.count("← called") == 1


def test_another_bundle_is_taken(folder: Path, bundle: ModelBundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(folder / "naevus.png"), "--model", str(bundle.path)]) == 0
    capsys.readouterr()
    assert main(["predict", str(folder / "naevus.png"), "--model", str(folder)]) == 2
    assert "is not a model bundle" in capsys.readouterr().err


def test_with_tta_and_ensemble_it_answers_as_they_do_and_says_how_far_the_folds_disagree(
    folder: Path, bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    first = two_folds(bundle, tmp_path_factory.mktemp("folds"))
    path = str(folder / "melanoma.png")
    assert main(["predict", path, "--model", str(first), "--tta", "--ensemble", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    expected = open_ensemble(first).predict(decode(Path(path)), tta=True)
    assert expected.disagreement is not None
    np.testing.assert_allclose(list(answer["probabilities"].values()), expected.probabilities)
    assert answer["disagreement"]["mutual_information"] == pytest.approx(expected.disagreement.mutual_information)
    assert len(answer["disagreement"]["calls"]) == 2
    assert main(["predict", path, "--model", str(first), "--ensemble"]) == 0
    assert " nats." in capsys.readouterr().out.splitlines()[-1]


def test_the_ensemble_of_a_lonely_model_is_refused(
    folder: Path, bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = two_folds(bundle, tmp_path_factory.mktemp("alone"), count=1)
    assert main(["predict", str(folder / "naevus.png"), "--model", str(alone), "--ensemble"]) == 2
    assert "is alone" in capsys.readouterr().err


def test_a_photograph_is_said_to_be_no_dermatoscopy_before_any_probability(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(photographs()[0]).save(folder / "astronaut.png")
    assert main(["predict", str(folder / "astronaut.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "does not look like a dermatoscopic image" in lines[1]
    assert "%" not in "".join(lines[:2])


def test_a_model_without_the_check_says_so(
    folder: Path, bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = two_folds(bundle, tmp_path_factory.mktemp("unchecked"), count=1)
    (alone / "novelty.npz").unlink()
    assert main(["predict", str(folder / "naevus.png"), "--model", str(alone)]) == 0
    assert "no check for images that are not dermatoscopic" in capsys.readouterr().out

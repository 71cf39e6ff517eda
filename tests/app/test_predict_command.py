import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from model.bundle import ModelBundle
from model.classes import CODES, DIAGNOSES
from model.images import decode
from model.phantoms import SAMPLES, sample
from model.prediction import Predictor


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
        assert list(answer) == ["image", "predicted", "probabilities"]
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

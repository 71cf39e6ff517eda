"""`lesionlens import`, and what the other commands and the dashboard make of a model of other classes."""

import argparse
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from keras import layers
from PIL import Image

from app.cli import main
from app.commands.import_ import number
from app.context import Context
from app.pages import render
from app.server import create_app
from app.shell import shell
from explain.methods import METHODS
from model.bundle import ModelBundle, load_bundle
from model.phantoms import sample
from tests.model.foreign_models import SIZE, small

Output = pytest.CaptureFixture[str]
CLASSES = ("benign", "mel", "other")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of three classes, one of them melanoma."""
    path = tmp_path_factory.mktemp("file") / "clinic.keras"
    small(layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")).save(path)
    return path


@pytest.fixture(scope="module")
def imported(file: Path) -> ModelBundle:
    out = file.with_name("bundle")
    wishes = ["--classes", "benign, mel, other", "--size", str(SIZE), "--scale", "1/255", "--name", "A clinic's"]
    assert main(["import", str(file), *wishes, "--out", str(out)]) == 0
    return load_bundle(out)


@pytest.fixture(scope="module")
def picture(file: Path) -> Path:
    path = file.with_name("lesion.png")
    Image.fromarray(sample("melanoma").image).save(path)
    return path


@pytest.fixture(scope="module")
def client(imported: ModelBundle) -> TestClient:
    return TestClient(create_app(imported.path))


@pytest.mark.parametrize(
    ("text", "value"), [("1/255", 1 / 255), ("1 / 127.5", 1 / 127.5), ("-1", -1.0), ("0.5", 0.5), ("1e-2", 0.01)]
)
def test_a_scale_is_a_number_or_a_fraction(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "1/0", "1/", "1/2/3", "nan", "inf", "x", "__import__('os')", "2**3"])
def test_anything_else_is_no_scale(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="neither a number nor a fraction such as 1/255"):
        number(text)


def test_it_says_what_it_made_and_what_that_is_not(file: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "bundle"
    arguments = ["import", str(file), "--classes", ",".join(CLASSES), "--size", str(SIZE), "--out", str(out)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "its softmax taken away" in printed
    assert "It is not calibrated" in printed
    assert f"lesionlens serve --model {out}" in printed
    assert main(arguments) == 2
    assert "exists already. Give another --out" in capsys.readouterr().err


def test_the_challenges_names_of_the_classes_are_those_of_the_data_sets(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    wishes = ["--classes", "MEL,NV,Other", "--size", str(SIZE), "--out", str(out)]
    assert main(["import", str(file), *wishes]) == 0
    assert load_bundle(out).card.classes == ("mel", "nv", "Other")


def test_what_cannot_be_brought_is_said_in_a_line_with_status_2(file: Path, tmp_path: Path, capsys: Output) -> None:
    arguments = ["import", str(file), "--classes", "mel,nv", "--size", str(SIZE), "--out", str(tmp_path / "bundle")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error == "lesionlens: The model has 3 outputs, but --classes names 2. Name them in order.\n"


def test_it_predicts(imported: ModelBundle, picture: Path, capsys: Output) -> None:
    assert main(["predict", str(picture), "--model", str(imported.path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer["probabilities"]) == list(CLASSES)
    assert answer["predicted"] == max(answer["probabilities"], key=answer["probabilities"].get)


def test_it_is_explained_by_every_method(imported: ModelBundle, picture: Path, tmp_path: Path) -> None:
    question = ["--method", "all", "--target", "benign", "--against", "mel"]
    assert main(["explain", str(picture), *question, "--model", str(imported.path), "--out", str(tmp_path)]) == 0
    assert len([*tmp_path.glob("lesion_*_benign_vs_mel.png")]) == len(METHODS)


def test_the_dashboard_shows_its_classes(imported: ModelBundle) -> None:
    page = str(render(Context(imported), "/explain", {"target": "benign"}))
    assert "Probabilities, not calibrated" in page
    assert "{'value': 'benign', 'label': 'benign'}" in page
    assert "{'value': 'mel', 'label': 'Melanoma'}" in page
    assert "'nv'" not in page


@pytest.mark.parametrize("path", ["/cases", "/cases/ISIC_0024306", "/metrics", "/confusion", "/pair/benign/mel"])
def test_pages_of_test_predictions_say_why_there_are_none(imported: ModelBundle, path: str) -> None:
    page = str(render(Context(imported), path, {}))
    assert "A clinic's was trained elsewhere" in page
    assert f"lesionlens evaluate --model {imported.path} --data PATH" in page


@pytest.mark.parametrize("path", ["/leakage", "/card"])
def test_the_other_pages_stand(imported: ModelBundle, path: str) -> None:
    assert "There is no such page" not in str(render(Context(imported), path, {}))


def test_programs_are_answered(client: TestClient, picture: Path) -> None:
    answer = client.post("/api/predict", content=picture.read_bytes()).json()
    assert list(answer["probabilities"]) == list(CLASSES)
    explained = client.get("/api/explain", params={"sample": "melanoma", "target": "benign", "against": "other"}).json()
    assert (explained["attribution"]["target"], explained["attribution"]["against"]) == ("benign", "other")
    assert client.get("/api/metrics").status_code == 404


def test_a_pair_leads_to_classes_that_there_are(imported: ModelBundle) -> None:
    assert "/pair/benign/mel" in str(shell(Context(imported)))

"""What is said of the patient changes the prediction as the bundle's fusion says, everywhere alike."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from scipy.special import softmax

from app.cli import main
from app.context import Context
from app.pages import render
from app.patient_parts import NOTHING, asked_by
from app.server import create_app
from app.uploads import png
from model.bundle import ModelBundle, load_bundle
from model.classes import CODES
from model.metadata import METADATA_FILE, MetadataFusion, write_fusion
from model.phantoms import sample


@pytest.fixture(scope="module")
def fusion() -> MetadataFusion:
    """The old have melanomas, feet have naevi."""
    effects = np.zeros((5, len(CODES)))
    effects[0, CODES.index("mel")] = 2.0
    effects[4, CODES.index("nv")] = 3.0
    return MetadataFusion(effects, 0.5, 50.0, 10.0, 0.5, ("back", "foot"), np.array([0.5, 0.5]))


@pytest.fixture(scope="module")
def fused(bundle: ModelBundle, fusion: MetadataFusion, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = tmp_path_factory.mktemp("fused") / "model"
    shutil.copytree(bundle.path, folder)
    write_fusion(folder, fusion)
    return load_bundle(folder)


@pytest.fixture(scope="module")
def plain(bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = tmp_path_factory.mktemp("plain") / "model"
    shutil.copytree(bundle.path, folder, ignore=shutil.ignore_patterns(METADATA_FILE))
    return load_bundle(folder)


@pytest.fixture(scope="module")
def server(fused: ModelBundle) -> Iterator[TestClient]:
    with TestClient(create_app(fused.path)) as client:
        yield client


@pytest.fixture(scope="module")
def image() -> bytes:
    return png(sample("naevus").image)


def test_the_api_gives_both_predictions(server: TestClient, image: bytes) -> None:
    answer = server.post("/api/predict?age=70&sex=unknown", content=image).json()
    alone = np.array(list(answer["probabilities"].values()))
    shift = np.where(np.asarray(CODES) == "mel", 0.5 * 2.0 * 2.0, 0.0)
    together = answer["with_metadata"]
    np.testing.assert_allclose(list(together["probabilities"].values()), softmax(np.log(alone) + shift), rtol=1e-6)
    assert (together["age"], together["sex"], together["site"]) == (70, "unknown", None)
    assert together["predicted"] in CODES


def test_nothing_said_gives_nothing_more(server: TestClient, image: bytes) -> None:
    answer = server.post("/api/predict?sex=unknown", content=image).json()
    assert answer["with_metadata"] is None


@pytest.mark.parametrize(
    ("query", "message"),
    [("age=130", "from 0 to 120"), ("sex=both", "female, male"), ("site=moon", "one of back, foot"), ("age=old", "")],
)
def test_an_impossible_patient_is_refused(server: TestClient, image: bytes, query: str, message: str) -> None:
    answer = server.post(f"/api/predict?{query}", content=image)
    assert answer.status_code == 422
    assert message in str(answer.json()["detail"])


def test_the_page_twin_and_explanations_say_it_too(server: TestClient, image: bytes) -> None:
    asked = "method=gradcam&age=70&site=foot"
    twin = server.get(f"/api/explain?sample=naevus&{asked}").json()["with_metadata"]
    posted = server.post(f"/api/explain?{asked}", content=image).json()["with_metadata"]
    assert twin["probabilities"] == pytest.approx(posted["probabilities"])


def test_the_command_line_says_the_same(
    server: TestClient, fused: ModelBundle, image: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "naevus.png"
    file.write_bytes(image)
    arguments = ["predict", str(file), "--model", str(fused.path), "--age", "70", "--site", "foot"]
    assert main([*arguments, "--json"]) == 0
    expected = server.post("/api/predict?age=70&site=foot", content=image).json()["with_metadata"]
    assert json.loads(capsys.readouterr().out)["with_metadata"]["probabilities"] == pytest.approx(
        expected["probabilities"]
    )
    assert main(arguments) == 0
    assert "With what is known of the patient:" in capsys.readouterr().out
    assert main([*arguments, "--sex", "both"]) == 2
    assert "female, male or unknown" in capsys.readouterr().err


def test_a_model_without_a_fusion_says_so(plain: ModelBundle, image: bytes) -> None:
    with TestClient(create_app(plain.path)) as client:
        answer = client.post("/api/predict?age=70", content=image)
        assert answer.status_code == 422
        assert "has no metadata.npz" in answer.json()["detail"]
        assert client.post("/api/predict", content=image).json()["with_metadata"] is None
    assert "explain-age" not in str(render(Context(plain), "/explain", {}))


def test_the_page_fills_the_fields_from_its_address(fused: ModelBundle, fusion: MetadataFusion) -> None:
    page = render(Context(fused), "/explain", {"age": "62", "sex": "female", "site": "foot"})
    assert page["explain-age"].value == 62
    assert page["explain-sex"].value == "female"
    assert page["explain-site"].value == "foot"
    assert page["explain-site"].data == ["back", "foot"]
    assert NOTHING in str(page["explain-patient-result"])
    odd = asked_by({"age": "many", "sex": "both", "site": "moon"}, fusion)
    assert not odd.anything
    assert asked_by({"age": "999"}, fusion).age is None

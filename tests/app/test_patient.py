"""What is said of the patient changes the prediction as the bundle's fusion says, everywhere alike."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from scipy.special import softmax

from app.cli import main
from app.context import Context
from app.pages import render
from app.pages.explain import CURRENT
from app.patient_parts import FIELDS, NOTHING, RESULT, asked_by
from app.server import create_app
from app.uploads import png
from model.bundle import ModelBundle, folds, load_bundle
from model.classes import CODES
from model.metadata import METADATA_FILE, MetadataFusion, write_fusion
from model.phantoms import sample
from tests.app.two_folds import two_folds


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


@pytest.fixture
def pair(bundle: ModelBundle, fusion: MetadataFusion, tmp_path: Path) -> tuple[Path, Path]:
    """Two folds: one of `fusion`, and one whose second site is another."""
    first, second = folds(two_folds(bundle, tmp_path / "pair"))
    write_fusion(first, fusion)
    write_fusion(second, replace(fusion, sites=("back", "ear")))
    return first, second


def test_the_ensemble_takes_a_site_that_any_member_knows(pair: tuple[Path, Path], image: bytes) -> None:
    with TestClient(create_app(pair[0])) as client:
        alone = client.post("/api/predict?site=ear", content=image)
        assert (alone.status_code, "one of back, foot or" in alone.json()["detail"]) == (422, True)
        moon = client.post("/api/predict?site=moon&ensemble=1", content=image)
        assert (moon.status_code, "one of back, ear, foot or" in moon.json()["detail"]) == (422, True)
        answer = client.post("/api/predict?site=ear&ensemble=1", content=image).json()
        # One of two members knows the site: half of weight 0.5 times the effect of 3, less its average of a half.
        shift = np.where(np.asarray(CODES) == "nv", 0.5 * 0.5 * 3.0 * 0.5, 0.0)
        expected = softmax(np.log(list(answer["probabilities"].values())) + shift)
        np.testing.assert_allclose(list(answer["with_metadata"]["probabilities"].values()), expected, rtol=1e-6)


@pytest.mark.parametrize("damage", ["absent", "broken", "other classes"])
def test_an_ensemble_with_a_member_without_a_sound_fusion_says_so(
    pair: tuple[Path, Path], fusion: MetadataFusion, image: bytes, damage: str
) -> None:
    first, second = pair
    (second / METADATA_FILE).unlink()
    if damage == "broken":
        (second / METADATA_FILE).write_bytes(b"PK")
    elif damage == "other classes":
        write_fusion(second, replace(fusion, effects=np.zeros((5, 2))))
    with TestClient(create_app(first)) as client:
        assert client.post("/api/predict?age=70", content=image).status_code == 200
        for route in ("predict", "explain"):
            answer = client.post(f"/api/{route}?age=70&ensemble=1", content=image)
            assert answer.status_code == 422
            assert "metadata.npz" in answer.json()["detail"]
        assert client.get("/api/explain?sample=naevus&age=70&ensemble=1").status_code == 422
        assert client.post("/api/predict?ensemble=1", content=image).json()["with_metadata"] is None


def test_a_damaged_fusion_leaves_the_rest_of_the_page(fused: ModelBundle, image: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(fused.path, folder)
    (folder / METADATA_FILE).write_bytes(b"no arrays")
    page = str(render(Context(load_bundle(folder)), "/explain", {}))
    assert "metadata.npz is damaged" in page
    assert "explain-upload" in page
    with TestClient(create_app(folder)) as client:
        answer = client.post("/api/predict?age=70", content=image)
        assert (answer.status_code, "is damaged" in answer.json()["detail"]) == (422, True)


def called_back(client: TestClient, outputs: list[str], values: dict[str, Any]) -> str:
    """What a callback of the page answers to the `values` of its inputs, each an id and a property."""

    def named(dependency: str) -> dict[str, Any]:
        identifier, _, name = dependency.rpartition(".")
        return {"id": identifier, "property": name}

    several = len(outputs) > 1
    body = {
        "output": f"..{'...'.join(outputs)}.." if several else outputs[0],
        "outputs": [named(output) for output in outputs] if several else named(outputs[0]),
        "inputs": [{**named(dependency), "value": value} for dependency, value in values.items()],
        "changedPropIds": list(values)[:1],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("age", "message"),
    [("-", "from 0 to 120, not '-'"), (-1, "from 0 to 120, not -1"), ("", NOTHING), (None, NOTHING), (70, "Called ")],
)
def test_whatever_is_typed_as_age_is_answered_in_words(
    server: TestClient, image: bytes, age: float | str | None, message: str
) -> None:
    fields = [f"{field}.value" for field in FIELDS]
    current = server.post("/api/images", content=image).json()
    values = {f"{CURRENT}.data": current, **dict.fromkeys(fields), fields[0]: age}
    assert message in called_back(server, [f"{RESULT}.children"], values)


def test_an_ensemble_that_is_no_longer_there_is_answered_in_words(server: TestClient, image: bytes) -> None:
    fields = [f"{field}.value" for field in FIELDS]
    current = {**server.post("/api/images", content=image).json(), "number": 1}
    current["disagreement"] = {"mutual_information": 0.1, "calls": ["nv", "mel"]}
    values = {f"{CURRENT}.data": current, **dict.fromkeys(fields), fields[0]: 70}
    assert "is alone" in called_back(server, [f"{RESULT}.children"], values)
    outputs = ["explain-novelty.children", "explain-probabilities.children"]
    assert "is alone" in called_back(server, outputs, {f"{CURRENT}.data": current})

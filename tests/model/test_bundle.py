import json
from dataclasses import replace
from pathlib import Path

import pytest

from model.bundle import SHIPPED, BundleError, Card, ModelBundle, load_bundle, shipped_ensemble, write_card

CARD = Card("a model", "lesion_cnn", ("mel", "nv"), 64, 1.5, (0.25, 0.75))


def folder_with(tmp_path: Path, card: str) -> Path:
    for name in ("architecture.json", "weights.safetensors", "serving.onnx"):
        (tmp_path / name).touch()
    (tmp_path / "card.json").write_text(card)
    return tmp_path


def test_a_written_card_is_read_back(tmp_path: Path) -> None:
    folder_with(tmp_path, "")
    write_card(tmp_path, CARD)
    assert load_bundle(tmp_path).card == CARD


def test_a_folder_without_model_is_no_bundle(tmp_path: Path) -> None:
    missing = r"card\.json, architecture\.json, weights\.safetensors, serving\.onnx"
    with pytest.raises(BundleError, match=f"is not a model bundle: it has no {missing}"):
        load_bundle(tmp_path)


def test_a_bundle_of_the_first_version_is_named_so(tmp_path: Path) -> None:
    for name in ("card.json", "model.keras", "serving.onnx"):
        (tmp_path / name).touch()
    with pytest.raises(BundleError, match=r"LesionLens 0\.1, which kept its network in model\.keras"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"classes": ["mel"], "class_prior": [1.0], "size": 64})])
def test_a_broken_card_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(BundleError, match=r"card\.json is not a valid card"):
        load_bundle(folder_with(tmp_path, text))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("mel", "mel")}, "two distinct classes"),
        ({"class_prior": (1.0,)}, "one positive class prior"),
        ({"temperature": 0.0}, "positive temperature"),
    ],
)
def test_a_contradictory_card_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        replace(CARD, **change)


def test_the_shipped_card_says_how_the_model_was_made_and_may_be_used(bundle: ModelBundle) -> None:
    card = bundle.card
    assert card.split["protocol"] == "lesion"
    assert (card.split["train"], card.split["validation"], card.split["test"]) == (7010, 1002, 2003)
    assert card.data["lesions"] == 7470
    assert "CC BY-NC 4.0" in card.licence
    assert "not for diagnosis" in card.intended_use
    assert {"keras", "tensorflow-cpu", "onnxruntime"} <= set(card.versions)


def test_the_shipped_weights_are_small() -> None:
    def megabytes(*bundles: Path) -> float:
        return sum(load_bundle(bundle).weights_path.stat().st_size for bundle in bundles) / 1e6

    assert megabytes(*shipped_ensemble()) < 40
    assert megabytes(SHIPPED / "lesion_cnn_lesion_fold0_112px") < 20

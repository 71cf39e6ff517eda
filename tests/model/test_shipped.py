"""What is committed of the shipped models is what their committed weights give."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.audit_reader import open_audit
from analysis.cross_validation import FIGURES_FILE
from analysis.predictions import COMMITTED, logits, probabilities, read_predictions
from analysis.validation import VALIDATION_FILE
from app.model_choice import is_audited
from model.bundle import DEFAULT_BUNDLE, SHIPPED, ModelBundle, load_bundle, shipped_ensemble
from model.calibration import fit_temperature
from model.classes import CODES
from model.ensemble import open_ensemble
from model.images import decode_file, prepare
from model.prediction import Predictor
from tests.model.test_novelty import flagged, noise, photographs

BUNDLES = [load_bundle(card.parent) for card in sorted(SHIPPED.glob("*/card.json"))]
QUANTISED = load_bundle(DEFAULT_BUNDLE, int8=True)
ENSEMBLE = "isic2018_validation_ensemble.parquet"


def name(bundle: ModelBundle) -> str:
    return f"{bundle.path.name}{'_int8' if bundle.int8 else ''}"


def external(file: str) -> pd.DataFrame:
    """Committed predictions of the ISIC 2018 validation images, by image_id."""
    return read_predictions(COMMITTED / file, CODES, maps=False).set_index("image_id").sort_index()


@pytest.mark.parametrize("bundle", BUNDLES, ids=name)
def test_the_test_predictions_are_the_weights_own(bundle: ModelBundle, ham10000_cases: pd.DataFrame) -> None:
    table = read_predictions(bundle.predictions_path, CODES, maps=False).iloc[::400]
    paths = ham10000_cases.set_index("image_id")["path"]
    images = np.stack([prepare(decode_file(paths[image_id]), bundle.card.size) for image_id in table["image_id"]])
    np.testing.assert_allclose(Predictor(bundle).logits(images), logits(table, CODES), atol=1e-2)


@pytest.mark.parametrize("bundle", BUNDLES, ids=name)
def test_the_temperature_is_that_of_the_validation_part(bundle: ModelBundle) -> None:
    table = pd.read_parquet(bundle.path / VALIDATION_FILE)
    labels = table["diagnosis"].map(CODES.index).to_numpy(np.intp)
    fitted = fit_temperature(logits(table, CODES).astype(np.float32), labels)
    assert fitted == pytest.approx(bundle.card.temperature, rel=1e-2)


@pytest.mark.parametrize("bundle", [*BUNDLES, QUANTISED], ids=name)
def test_photographs_and_noise_are_flagged(bundle: ModelBundle) -> None:
    predictor = Predictor(bundle)
    assert flagged(predictor, photographs()) >= 0.9
    assert flagged(predictor, noise(40)) >= 0.95


def test_the_ensemble_is_the_mean_of_the_five() -> None:
    members = [external(f"isic2018_validation_{path.name}.parquet") for path in shipped_ensemble()]
    mean = np.mean([probabilities(member, CODES) for member in members], axis=0)
    np.testing.assert_allclose(probabilities(external(ENSEMBLE), CODES), mean, atol=1e-4)


def test_the_committed_ensemble_is_the_one_that_is_served(ham10000: Path) -> None:
    table, ensemble = external(ENSEMBLE).iloc[::60], open_ensemble(DEFAULT_BUNDLE)
    for image_id, expected in zip(table.index, probabilities(table, CODES), strict=True):
        image = decode_file(ham10000 / "ISIC2018_Task3_Validation_Input" / f"{image_id}.jpg")
        np.testing.assert_allclose(ensemble.predict(image).probabilities, expected, atol=5e-3)


def test_the_calibration_error_is_what_was_asked_for() -> None:
    figures = json.loads((COMMITTED / FIGURES_FILE).read_text(encoding="utf-8"))["figures"]
    assert figures["calibration_error"]["value"] <= 0.02 < figures["calibration_error_before"]["value"]


def test_the_shipped_audit_has_every_case_once_by_a_model_that_has_not_seen_it() -> None:
    folder = COMMITTED / "audit"
    audit = open_audit(folder)
    table = audit.table(["image_id", "seen", "model"])
    assert len(table) == table["image_id"].nunique() == 10_015
    assert not table["seen"].any()
    assert all(map(is_audited, map(load_bundle, shipped_ensemble()), audit.manifest.models))
    assert sum(file.stat().st_size for file in folder.iterdir()) < 10e6

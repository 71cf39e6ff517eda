"""The fusion of patient and image: nothing known changes nothing, the rest counts as far as validation says."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from model.metadata import (
    METADATA_FILE,
    MetadataError,
    MetadataFusion,
    features,
    fit_fusion,
    patient,
    read_fusion,
    write_fusion,
)

CLASSES = ("a", "b", "c")


def patients(count: int, seed: int) -> pd.DataFrame:
    """Class a is of the old, class b of the face, class c of neither; some of everything is unknown."""
    random = np.random.default_rng(seed)
    diagnosis = random.choice(CLASSES, count)
    age = np.where(diagnosis == "a", 75.0, 40.0) + random.normal(0, 10, count)
    site = np.where((diagnosis == "b") & (random.random(count) < 0.8), "face", random.choice(["back", "foot"], count))
    table = pd.DataFrame({"diagnosis": diagnosis, "age": age, "sex": random.choice(["female", "male"], count)})
    table["site"] = site
    unknown = random.random(count) < 0.1
    nothing = {"age": np.nan, "sex": "unknown", "site": "unknown"}
    return table.assign(**{column: table[column].mask(unknown, value) for column, value in nothing.items()})


@pytest.fixture(scope="module")
def fusion() -> MetadataFusion:
    validation = patients(300, 1)
    fitted = fit_fusion(patients(2000, 0), validation, np.zeros((300, 3)), CLASSES)
    assert fitted is not None
    return fitted


def test_features_by_hand() -> None:
    training = pd.DataFrame(
        {
            "diagnosis": ["a", "b", "a", "b"],
            "age": [40.0, 60.0, np.nan, np.nan],
            "sex": ["female", "female", "male", "male"],
            "site": ["back", "back", "back", "face"],
        }
    )
    fitted = fit_fusion(training, training, np.zeros((4, 3)), CLASSES)
    assert fitted is not None
    assert fitted.sites == ("back", "face")
    known = patient([fitted], 70, "female", "face")
    np.testing.assert_allclose(features(known, fitted), [[2, 3, 0.5, -0.75, 0.75]])
    np.testing.assert_allclose(features(patient([fitted], None, "unknown", None), fitted), [[0, 0, 0, 0, 0]])


def test_nothing_known_changes_nothing(fusion: MetadataFusion) -> None:
    logits = np.array([[1.0, -2.0, 0.5]])
    shares = fusion.probabilities(logits, 1.7, patient([fusion], None, None, None))
    np.testing.assert_allclose(shares, softmax(logits / 1.7, axis=1), rtol=1e-12)


def test_what_is_known_speaks_for_its_class(fusion: MetadataFusion) -> None:
    alike = np.zeros((1, 3))
    old = fusion.probabilities(alike, 1, patient([fusion], 80, None, None))[0]
    face = fusion.probabilities(alike, 1, patient([fusion], None, None, "face"))[0]
    assert CLASSES[old.argmax()] == "a"
    assert CLASSES[face.argmax()] == "b"


def test_with_an_image_that_says_nothing_it_is_scikit_learns_regression(fusion: MetadataFusion) -> None:
    training, asked = patients(2000, 0), patients(50, 2)
    regression = LogisticRegression(max_iter=1000).fit(features(training, fusion), training["diagnosis"])
    nothing = regression.predict_log_proba(np.zeros((1, len(fusion.effects))))
    expected = softmax(regression.predict_log_proba(features(asked, fusion)) - nothing, axis=1)
    whole = MetadataFusion(**{**vars(fusion), "weight": 1.0})
    np.testing.assert_allclose(whole.probabilities(np.zeros((50, 3)), 1, asked), expected, atol=1e-9)
    # The classes are about equally common, so the patients alone are given about their full weight.
    assert fusion.weight == pytest.approx(1, abs=0.2)


def test_where_the_image_tells_all_the_patient_has_no_say() -> None:
    validation = patients(300, 1)
    shuffled = validation.assign(diagnosis=np.random.default_rng(0).permutation(validation["diagnosis"]))
    certain = 10.0 * (shuffled["diagnosis"].to_numpy()[:, np.newaxis] == np.asarray(CLASSES))
    fitted = fit_fusion(patients(2000, 0), shuffled, certain, CLASSES)
    assert fitted is not None
    assert fitted.weight < 0.5
    unhelpful = fit_fusion(patients(2000, 0), shuffled, np.zeros((300, 3)), CLASSES)
    assert unhelpful is not None
    assert unhelpful.weight < 0.1


def test_a_class_without_patients_is_left_alone(fusion: MetadataFusion) -> None:
    training = patients(500, 0)
    fitted = fit_fusion(training[training["diagnosis"] != "c"], patients(100, 1), np.zeros((100, 3)), CLASSES)
    assert fitted is not None
    assert np.isfinite(fitted.effects).all()


def test_without_patients_there_is_no_fusion() -> None:
    unknown = patients(50, 0).assign(age=np.nan, sex="unknown", site="unknown")
    assert fit_fusion(unknown, unknown, np.zeros((50, 3)), CLASSES) is None


def test_written_and_read_it_is_the_same(fusion: MetadataFusion, tmp_path: Path) -> None:
    write_fusion(tmp_path, fusion)
    again = read_fusion(tmp_path)
    assert again is not None
    asked = patients(20, 3)
    np.testing.assert_array_equal(
        again.probabilities(np.zeros((20, 3)), 1, asked), fusion.probabilities(np.zeros((20, 3)), 1, asked)
    )
    assert again.sites == fusion.sites
    assert read_fusion(tmp_path / "elsewhere") is None


@pytest.mark.parametrize("content", [b"", b"no arrays", b"PK\x03\x04 no archive"])
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / METADATA_FILE).write_bytes(content)
    with pytest.raises(MetadataError, match="is damaged"):
        read_fusion(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"effects": np.zeros((2, 3))},
        {"site_shares": np.zeros(7)},
        {"weight": np.nan},
        {"weight": np.zeros(2)},
        {"age_deviation": 0.0},
    ],
)
def test_arrays_that_cannot_be_a_fusion_are_refused(
    fusion: MetadataFusion, changed: dict[str, Any], tmp_path: Path
) -> None:
    np.savez(tmp_path / METADATA_FILE, **{**vars(fusion), **changed})
    with pytest.raises(MetadataError, match="is damaged"):
        read_fusion(tmp_path)


def test_an_array_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    with (tmp_path / METADATA_FILE).open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(MetadataError, match="is damaged"):
        read_fusion(tmp_path)


def test_of_several_fusions_any_knows_the_site_and_to_the_others_it_says_nothing(fusion: MetadataFusion) -> None:
    shares = np.array([1.0])
    other = MetadataFusion(np.vstack([fusion.effects[:3], [[5.0, 0, 0]]]), 1.0, 50, 10, 0.5, ("ear",), shares)
    asked = patient([fusion, other], None, None, "face")
    np.testing.assert_array_equal(features(asked, other), np.zeros((1, 4)))
    assert features(asked, fusion).any()
    with pytest.raises(MetadataError, match="one of back, ear, face, foot or unknown"):
        patient([fusion, other], None, None, "moon")


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / METADATA_FILE, weight=np.array({"a": 1}, dtype=object))
    with pytest.raises(MetadataError, match="is damaged"):
        read_fusion(tmp_path)


@pytest.mark.parametrize(
    ("age", "sex", "site", "message"),
    [
        (-1, None, None, "from 0 to 120, not -1"),
        (float("nan"), None, None, "from 0 to 120"),
        (None, "both", None, "female, male or unknown"),
        (None, None, "moon", "one of back, face, foot or unknown"),
    ],
)
def test_impossible_patients_are_refused(
    fusion: MetadataFusion, age: float | None, sex: str | None, site: str | None, message: str
) -> None:
    with pytest.raises(MetadataError, match=message):
        patient([fusion], age, sex, site)

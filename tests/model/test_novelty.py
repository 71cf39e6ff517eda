"""Images that are no dermatoscopy are flagged; the rates of the shipped model are measured here."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from model.bundle import BundleError, ModelBundle, load_bundle
from model.images import decode
from model.novelty import NOVELTY_FILE, Novelty, NoveltyCheck, fit_novelty, novelty_file, read_novelty
from model.prediction import Predictor
from tests.model.strange_images import crops, noise, others, photographs

COLOURED = np.full((8, 8, 3), (224, 172, 150), np.uint8)


def embeddings(cases: int, seed: int) -> NDArray[np.float32]:
    """Positive ones of 16 dimensions that lie near a plane of three."""
    random = np.random.default_rng(seed)
    plane = np.random.default_rng(0).uniform(0, 1, (3, 16))
    return (random.uniform(1, 2, (cases, 3)) @ plane + random.uniform(0, 0.02, (cases, 16))).astype(np.float32)


@pytest.fixture(scope="module")
def check() -> NoveltyCheck:
    return fit_novelty(embeddings(400, 1), embeddings(1000, 2))


def test_one_in_a_hundred_validation_images_is_a_false_alarm(check: NoveltyCheck) -> None:
    distances = check.distances(embeddings(1000, 2))
    assert np.mean(distances > check.threshold) == pytest.approx(0.01, abs=1e-3)


def test_what_lies_off_the_plane_is_novel_and_what_lies_on_it_is_not(check: NoveltyCheck) -> None:
    on_it = embeddings(1, 3)[0]
    off_it = on_it.copy()
    off_it[0] += 5
    assert check.novelty(COLOURED, off_it).novel
    assert not check.novelty(COLOURED, on_it).novel
    assert check.novelty(COLOURED, on_it).distance == check.distances(on_it[np.newaxis])[0]


def test_an_image_without_colour_is_novel_wherever_it_lies(check: NoveltyCheck) -> None:
    on_it = embeddings(1, 3)[0]
    grey = np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1), 3, axis=2)
    assert check.novelty(grey, on_it).colourless
    assert check.novelty(grey, on_it).novel
    assert not check.novelty(COLOURED, on_it).colourless


def test_the_distance_is_what_principal_components_leave_over(check: NoveltyCheck) -> None:
    def normalised(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values**0.4 / np.linalg.norm(values**0.4, axis=1, keepdims=True)

    train, other = normalised(embeddings(400, 1)), normalised(embeddings(20, 4))
    pca = PCA(4).fit(train)
    expected = np.linalg.norm(other - pca.inverse_transform(pca.transform(other)), axis=1)
    np.testing.assert_allclose(check.distances(embeddings(20, 4)), expected, atol=1e-3)


def test_negative_and_empty_embeddings_have_a_distance() -> None:
    random = np.random.default_rng(0)
    check = fit_novelty(*(random.normal(size=(50, 8)).astype(np.float32) for _ in range(2)))
    assert np.isfinite(check.distances(np.array([[0.0] * 8, [-1.0] * 8], np.float32))).all()


def test_a_written_check_is_read_back(check: NoveltyCheck, tmp_path: Path) -> None:
    (tmp_path / NOVELTY_FILE).write_bytes(novelty_file(check))
    read = read_novelty(tmp_path / NOVELTY_FILE)
    np.testing.assert_array_equal(read.distances(embeddings(5, 5)), check.distances(embeddings(5, 5)))
    assert read.threshold == pytest.approx(check.threshold)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken off"])
def test_a_damaged_check_is_named(bundle: ModelBundle, tmp_path: Path, content: bytes) -> None:
    (tmp_path / NOVELTY_FILE).write_bytes(content)
    with pytest.raises(BundleError, match=r"novelty\.npz is not a check"):
        _ = ModelBundle(tmp_path, bundle.card).novelty_check


def test_a_bundle_without_the_check_says_nothing_of_novelty(bundle: ModelBundle, tmp_path: Path) -> None:
    for file in bundle.path.iterdir():
        if file.name != NOVELTY_FILE:
            (tmp_path / file.name).symlink_to(file)
    assert Predictor(load_bundle(tmp_path)).predict(photographs()[0]).novelty is None


def test_beyond_the_threshold_is_novel() -> None:
    assert Novelty(0.31, 0.3, colourless=False).novel
    assert not Novelty(0.3, 0.3, colourless=False).novel


def flagged(predictor: Predictor, images: list[NDArray[np.uint8]]) -> float:
    verdicts = [predictor.predict(image).novelty for image in images]
    return float(np.mean([verdict is not None and verdict.novel for verdict in verdicts]))


def test_the_shipped_check_is_small(bundle: ModelBundle) -> None:
    assert (bundle.path / NOVELTY_FILE).stat().st_size <= 400_000


def test_at_least_95_percent_of_photographs_are_flagged(predictor: Predictor) -> None:
    assert flagged(predictor, photographs()) >= 0.95
    assert flagged(predictor, crops(6)) >= 0.95


def test_at_least_95_percent_of_uniform_noise_is_flagged(predictor: Predictor) -> None:
    assert flagged(predictor, noise(200)) >= 0.95


def test_plain_colours_print_and_other_medical_pictures_are_flagged(predictor: Predictor) -> None:
    assert flagged(predictor, others()) >= 0.9


def test_about_one_in_a_hundred_test_images_is_a_false_alarm(
    bundle: ModelBundle, predictor: Predictor, ham10000_cases: pd.DataFrame
) -> None:
    """Every fourth image of the test part; `lesionlens evaluate --data` counts all of them."""
    test = pd.read_parquet(bundle.predictions_path)["image_id"][::4]
    images = [decode(Path(path)) for path in ham10000_cases.set_index("image_id").loc[test, "path"]]
    assert 0 < flagged(predictor, images) < 0.03

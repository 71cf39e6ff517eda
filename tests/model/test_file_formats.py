"""Every exported file says what the bundle's own graph says, within what its precision allows."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.bundle import BundleError, ModelBundle, load_bundle
from model.file_formats import CALIBRATION_IMAGES, FORMATS, calibration_rows, open_logits
from model.images import prepare
from model.phantoms import phantom
from model.prediction import Predictor
from model.splits import Split

SIZE = 32
# Largest error of a logit, as a share of the spread of the original's logits over the images.
TOLERANCE = {
    "tflite-float32": 1e-4,
    "tflite-float16": 0.01,
    "tflite-int8": 0.1,
    "onnx-float32": 1e-4,
    "onnx-int8": 0.1,
}


def prepared(size: int) -> NDArray[np.uint8]:
    return np.stack([prepare(phantom(seed, height=96, width=128).image, size) for seed in range(24)])


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return prepared(SIZE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """The bundle of an untrained network."""
    import keras

    from model.networks import lesion_cnn
    from tests.model.untrained import write_untrained

    keras.utils.set_random_seed(0)
    return write_untrained(tmp_path_factory.mktemp("bundle") / "untrained", lesion_cnn(SIZE))


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_gives_the_logits_of_the_original(
    name: str, made: ModelBundle, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    chosen = FORMATS[name]
    content = chosen.content(made, images) if chosen.calibrated else chosen.content(made)
    (tmp_path / chosen.file).write_bytes(content)
    expected = Predictor(made).logits(images)
    given = open_logits(tmp_path / chosen.file)(images)
    assert given.dtype == np.float32
    assert np.abs(given - expected).max() <= TOLERANCE[name] * np.ptp(expected)
    assert (given.argmax(axis=1) == expected.argmax(axis=1)).mean() >= (0.9 if chosen.calibrated else 1)


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_weights_that_are_linked_are_exported(
    link: Callable[[Path, Path], None], made: ModelBundle, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    shutil.copytree(made.path, linked)
    weights = load_bundle(linked).weights_path
    link(weights.rename(tmp_path / "weights"), weights)
    assert FORMATS["onnx-float32"].content(load_bundle(linked)) == FORMATS["onnx-float32"].content(made)


def test_a_quantised_graph_must_be_there_to_be_served(made: ModelBundle) -> None:
    with pytest.raises(BundleError, match=r"has no serving_int8\.onnx; `lesionlens export"):
        load_bundle(made.path, int8=True)


def test_the_shipped_network_quantised_serves_as_it_does_in_float32(bundle: ModelBundle, tmp_path: Path) -> None:
    """With its three outputs, so that Grad-CAM and the check for strange images work on it."""
    images = prepared(bundle.card.size)
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.path, folder)
    (folder / FORMATS["onnx-int8"].file).write_bytes(FORMATS["onnx-int8"].content(bundle, images))
    expected, given = Predictor(bundle).run(images), Predictor(load_bundle(folder, int8=True)).run(images)
    assert np.abs(given.logits - expected.logits).max() <= 0.1 * np.ptp(expected.logits)
    assert (given.logits.argmax(axis=1) == expected.logits.argmax(axis=1)).mean() >= 0.9
    assert given.features.shape == expected.features.shape
    assert bundle.head is not None
    from_features = given.features.mean(axis=(1, 2)) @ bundle.head.kernel + bundle.head.bias
    np.testing.assert_allclose(from_features, given.logits, atol=1e-3)
    np.testing.assert_allclose(given.embedding, given.features.mean(axis=(1, 2)), atol=1e-4)


def test_the_quantised_file_is_a_quarter_of_the_size(made: ModelBundle, images: NDArray[np.uint8]) -> None:
    large = FORMATS["onnx-float32"].content(made)
    small = FORMATS["onnx-int8"].content(made, images)
    assert len(small) < 0.35 * len(large)


def test_two_quantisations_are_the_same(made: ModelBundle, images: NDArray[np.uint8]) -> None:
    first, second = (FORMATS["onnx-int8"].content(made, images[:8]) for _ in range(2))
    assert first == second


def test_calibration_takes_distinct_training_cases() -> None:
    parts = Split(np.repeat(np.arange(500), 3), np.arange(500, 600), np.arange(600, 700))
    rows = calibration_rows(parts)
    assert len(rows) == len(set(rows)) == CALIBRATION_IMAGES
    assert rows.max() < 500
    assert list(calibration_rows(Split(np.array([3, 1, 3]), np.array([2]), np.array([0])))) == [1, 3]

"""A network leaves for a bundle and comes back: as a Keras model, and as the serving graph."""

from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from model.bundle import Card, ModelBundle, load_bundle, write_card
from model.bundle_writer import write_network
from model.images import decode, prepare
from model.keras_model import load_keras, round_to_stored
from model.networks import lesion_cnn
from model.prediction import Predictor

NOISE = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)


def logits(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    values: NDArray[np.float32] = model(images.astype(np.float32), training=False).numpy()
    return values


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return lesion_cnn(32, 7)


@pytest.fixture(scope="module")
def written(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = tmp_path_factory.mktemp("bundle")
    round_to_stored(model)
    classes = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    write_card(folder, Card("a model", "lesion_cnn", classes, 32, 1.0, (1 / 7,) * 7))
    write_network(folder, model)
    return load_bundle(folder)


def test_a_network_comes_back_bit_by_bit(model: keras.Model, written: ModelBundle) -> None:
    back = load_keras(written)
    for before, after in zip(model.weights, back.weights, strict=True):
        assert before.path == after.path
        np.testing.assert_array_equal(before.numpy(), after.numpy(), err_msg=before.path)
    np.testing.assert_allclose(logits(back, NOISE), logits(model, NOISE), atol=1e-6)


def test_kernels_are_stored_in_half_precision_and_vectors_in_single(written: ModelBundle) -> None:
    weights = load_file(written.weights_path)
    assert {values.dtype for values in weights.values() if values.ndim > 1} == {np.dtype(np.float16)}
    assert {values.dtype for values in weights.values() if values.ndim == 1} == {np.dtype(np.float32)}


def test_the_serving_graph_equals_keras(model: keras.Model, written: ModelBundle) -> None:
    assert np.abs(Predictor(written).logits(NOISE) - logits(model, NOISE)).max() < 1e-3


def test_without_pooling_there_is_no_linear_head(written: ModelBundle, bundle: ModelBundle) -> None:
    assert written.head is None
    assert bundle.head is not None


def test_the_serving_graph_holds_no_weights_and_runs_without_unpacking_them(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    graph = onnx.load(bundle.onnx_path, load_external_data=False).graph
    assert sum(len(tensor.raw_data) for tensor in graph.initializer) < 1000
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(bundle.onnx_path), options, providers=["CPUExecutionProvider"])
    optimised = onnx.load(options.optimized_model_filepath, load_external_data=False)
    operations = {node.op_type for node in optimised.graph.node}
    assert "Conv" in operations
    assert not operations & {"Cast", "Sqrt", "Reciprocal", "Sub"}


def test_the_shipped_network_in_keras_and_onnx(bundle: ModelBundle, originals: list[Path]) -> None:
    images = np.stack([prepare(decode(path), bundle.card.size) for path in originals[:4]])
    assert np.abs(Predictor(bundle).logits(images) - logits(load_keras(bundle), images)).max() < 1e-3

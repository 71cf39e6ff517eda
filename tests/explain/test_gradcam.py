from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from explain import explain
from explain.attribution import Target
from explain.gradcam import class_maps, compiled_gradient_maps, grad_cams, gradient_maps
from model.bundle import Card, LinearHead, load_bundle, write_card
from model.bundle_writer import write_network
from model.images import decode, prepare
from model.keras_model import load_keras
from model.prediction import Outputs, Predictor
from tests.model.foreign_models import varied
from tests.model.untrained import write_untrained

FEATURE_LAYER = "features"
pytestmark = pytest.mark.filterwarnings("ignore:Please import `zoom`:DeprecationWarning")  # tf-keras-vis 0.8.7


def correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def reference(model: Any, image: NDArray[np.uint8], score: Callable[[Any], Any]) -> NDArray[np.float32]:
    """Grad-CAM by tf-keras-vis at its native resolution, after its ReLU."""
    from tf_keras_vis.gradcam import Gradcam

    maps = Gradcam(model, clone=True)(
        score,
        image[np.newaxis].astype(np.float32),
        penultimate_layer=FEATURE_LAYER,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    native: NDArray[np.float32] = np.asarray(maps, np.float32)[0]
    return native


def test_a_hand_computed_case() -> None:
    features = np.array([[[[1, 2], [3, 0]], [[0, 4], [5, 1]]]], np.float32)  # two by two positions, two channels
    head = LinearHead(np.array([[1, 0, -1], [0, 2, 1]], np.float32), np.zeros(3, np.float32))
    maps = class_maps(Outputs(np.zeros((1, 3), np.float32), features, np.zeros((1, 2), np.float32)), head)
    first, second = features[0, ..., 0], features[0, ..., 1]
    np.testing.assert_allclose(maps[0], np.stack([first, 2 * second, second - first]) / 4)


def test_a_map_adds_up_to_the_logit_without_its_bias(predictor: Predictor, originals: list[Path]) -> None:
    head = predictor.bundle.head
    assert head is not None
    outputs = predictor.run(np.stack([prepare(decode(path), predictor.bundle.card.size) for path in originals[:3]]))
    maps = class_maps(outputs, head)
    assert maps.shape[:2] == outputs.logits.shape
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps.sum(axis=(2, 3)), outputs.logits - head.bias, atol=1e-3)


def test_a_contrast_is_the_difference_of_two_maps(predictor: Predictor, originals: list[Path]) -> None:
    image = decode(originals[0])
    mel, nv, both = (explain(image, predictor, "gradcam", *target) for target in (("mel",), ("nv",), ("mel", "nv")))
    np.testing.assert_allclose(both.values, mel.values - nv.values, atol=1e-5)


def test_equal_to_tf_keras_vis_on_ten_images(predictor: Predictor, originals: list[Path]) -> None:
    from tf_keras_vis.utils.scores import CategoricalScore

    model = load_keras(predictor.bundle)
    classes = predictor.bundle.card.classes
    for path in originals[:10]:
        image = decode(path)
        predicted = predictor.predict(image).predicted
        index = classes.index(predicted)
        expected = reference(model, prepare(image, predictor.bundle.card.size), CategoricalScore(index))
        ours = explain(image, predictor, "gradcam", predicted).values
        assert expected.max() > 0
        assert correlation(np.maximum(ours, 0), expected) > 0.999, path.name


def test_head_and_gradients_give_the_same_map(predictor: Predictor, originals: list[Path]) -> None:
    card = predictor.bundle.card
    image = decode(originals[1])
    maps = gradient_maps(predictor.bundle, prepare(image, card.size)[np.newaxis])[0]
    by_gradients = np.tensordot(Target("mel", "nv").weights(card.classes), maps, axes=1)
    by_head = explain(image, predictor, "gradcam", "mel", "nv").values
    np.testing.assert_allclose(by_gradients, by_head, atol=1e-3 * np.abs(by_head).max())


def test_equal_to_tf_keras_vis_on_a_network_with_several_dense_layers(originals: list[Path]) -> None:
    import keras

    from model.networks import lesion_cnn

    keras.utils.set_random_seed(0)
    model = lesion_cnn(64, 7)
    image = prepare(decode(originals[2]), 64)
    maps = compiled_gradient_maps(model)(image[np.newaxis].astype(np.float32)).numpy()[0]
    ours = maps[4] - maps[5]
    expected = reference(model, image, lambda logits: logits[:, 4] - logits[:, 5])
    assert ours.shape == expected.shape == (8, 8)
    assert expected.max() > 0
    assert correlation(np.maximum(ours, 0), expected) > 0.999


def test_of_a_dense_head_the_head_alone_is_differentiated(tmp_path: Path, originals: list[Path]) -> None:
    from model.networks import lesion_cnn

    bundle = write_untrained(tmp_path / "dense", varied(lesion_cnn(64)))
    predictor = Predictor(bundle)
    images = np.stack([prepare(decode(path), 64) for path in originals[:3]])
    maps, computed_by = grad_cams(bundle, images, predictor.run(images))
    expected = gradient_maps(bundle, images)
    assert computed_by == "dense head"
    assert maps.shape == expected.shape == (3, 7, 8, 8)
    np.testing.assert_allclose(maps, expected, atol=1e-3 * np.abs(expected).max())
    one = explain(images[1], predictor, "gradcam", "mel", "nv")
    np.testing.assert_allclose(one.values, expected[1, 4] - expected[1, 5], atol=1e-3 * np.abs(expected).max())


def test_without_a_head_explain_differentiates(
    predictor: Predictor, originals: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = decode(originals[0])
    by_head = explain(image, predictor, "gradcam", "mel")
    for kind in ("head", "dense_head"):
        monkeypatch.setitem(vars(predictor.bundle), kind, None)
    by_gradients = explain(image, predictor, "gradcam", "mel")
    assert by_head.parameters["computed_by"] == "linear head"
    assert by_gradients.parameters["computed_by"] == "TensorFlow gradients"
    np.testing.assert_allclose(by_gradients.values, by_head.values, atol=1e-3 * np.abs(by_head.values).max())


def test_overwritten_weights_are_read_again(tmp_path: Path) -> None:
    import keras

    white = np.full((1, 32, 32, 3), 255, np.uint8)
    image = keras.Input((32, 32, 3))
    convolution = keras.layers.Conv2D(1, 1, kernel_initializer="ones", name="features")
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(convolution(image))
    model = keras.Model(image, keras.layers.Dense(2, kernel_initializer="ones", name="logits")(embedding))
    write_card(tmp_path, Card("a model", "a network", ("mel", "nv"), 32, 1.0, (0.5, 0.5)))
    write_network(tmp_path, model)
    before = gradient_maps(load_bundle(tmp_path), white)
    convolution.set_weights([2 * values for values in convolution.get_weights()])
    write_network(tmp_path, model)
    np.testing.assert_allclose(gradient_maps(load_bundle(tmp_path), white), 2 * before)

from pathlib import Path

import keras
import numpy as np
import pytest
import skimage.data

from model.images import prepare
from model.networks import IMAGENET_WEIGHTS, efficientnet_lite0, lesion_cnn

IMAGENET_HEAD = Path(__file__).with_name("efficientnet_lite0_imagenet_head.npz")
CATS = range(281, 286)
ESPRESSO = 967


@pytest.fixture(scope="module")
def imagenet_network() -> keras.Model:
    network = efficientnet_lite0(224, 1000)
    with np.load(IMAGENET_HEAD) as head:
        network.get_layer("logits").set_weights([head["kernel"].astype(np.float32), head["bias"].astype(np.float32)])
    return network


def test_lesion_cnn_has_the_published_number_of_parameters() -> None:
    assert lesion_cnn(224).count_params() == 27_035_431


def test_lesion_cnn_takes_other_sizes() -> None:
    network = lesion_cnn(64, classes=3)
    assert network.input_shape == (None, 64, 64, 3)
    assert network.output_shape == (None, 3)


def test_dropout_is_as_asked() -> None:
    def rates(network: keras.Model) -> list[float]:
        return [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)]

    assert rates(lesion_cnn(32)) == [0.25] * 4 + [0.5] * 3
    assert rates(lesion_cnn(32, dropout=0.2)) == [0.1] * 4 + [0.2] * 3
    assert rates(efficientnet_lite0(32, dropout=0.1, weights=None)) == [0.1]


def test_efficientnet_lite0_has_the_published_number_of_parameters(imagenet_network: keras.Model) -> None:
    trainable = sum(int(np.prod(weight.shape)) for weight in imagenet_network.trainable_weights)
    assert trainable == 4_652_008  # the 4.7 M of the EfficientNet-Lite release
    assert efficientnet_lite0(160, weights=None).count_params() == 3_421_991


def test_imagenet_weights_stay_small() -> None:
    assert IMAGENET_WEIGHTS.stat().st_size < 15_000_000


@pytest.mark.parametrize(("photograph", "classes"), [("chelsea", CATS), ("coffee", [ESPRESSO])])
def test_converted_imagenet_network_knows_photographs(
    imagenet_network: keras.Model, photograph: str, classes: list[int]
) -> None:
    image = prepare(getattr(skimage.data, photograph)(), 224)
    logits = imagenet_network(image[np.newaxis].astype(np.float32)).numpy()[0]
    assert logits.argmax() in classes

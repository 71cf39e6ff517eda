from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from model.bundle import ModelBundle
from model.images import decode, prepare
from model.keras_model import load_keras
from model.prediction import Predictor, batches, calibrated_probabilities, decide


def test_serving_logits_equal_keras_on_real_images(
    bundle: ModelBundle, predictor: Predictor, originals: list[Path]
) -> None:
    images = np.stack([prepare(decode(path), bundle.card.size) for path in originals])
    expected = load_keras(bundle)(images.astype(np.float32), training=False).numpy()
    outputs = predictor.run(images)
    assert np.abs(outputs.logits - expected).max() < 1e-3
    np.testing.assert_array_equal(predictor.logits(images), outputs.logits)


def test_the_head_maps_the_embedding_to_the_logits(
    bundle: ModelBundle, predictor: Predictor, originals: list[Path]
) -> None:
    outputs = predictor.run(prepare(decode(originals[0]), bundle.card.size)[np.newaxis])
    assert bundle.head is not None
    np.testing.assert_allclose(outputs.features.mean(axis=(1, 2)), outputs.embedding, atol=1e-5)
    np.testing.assert_allclose(outputs.embedding @ bundle.head.kernel + bundle.head.bias, outputs.logits, atol=1e-4)


def test_a_prediction_is_calibrated_and_called_by_the_card(predictor: Predictor, originals: list[Path]) -> None:
    card = predictor.bundle.card
    prediction = predictor.predict(decode(originals[0]))
    np.testing.assert_allclose(prediction.probabilities, softmax(prediction.logits / card.temperature), rtol=1e-5)
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert prediction.predicted == card.classes[np.argmax(prediction.probabilities / card.class_prior)]


def test_a_rare_class_is_called_where_its_probability_outgrows_its_share() -> None:
    probabilities = np.array([[0.3, 0.7], [0.1, 0.9]])
    np.testing.assert_array_equal(decide(probabilities, (0.2, 0.8)), [0, 1])


def test_a_temperature_above_one_softens() -> None:
    logits = np.array([2.0, 0.0], np.float32)
    np.testing.assert_allclose(calibrated_probabilities(logits, 2.0), softmax([1.0, 0.0]))


def test_batches_cover_everything_once() -> None:
    assert [*batches(5, 2)] == [slice(0, 2), slice(2, 4), slice(4, 5)]

import numpy as np
import pytest

from model.input_pipeline import class_balance
from model.networks import lesion_cnn
from model.training import Configuration, TrainingError, best_epoch, stale_epochs, to_natural_mix


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "resnet"}, "Unknown network 'resnet'; known are efficientnet_lite0, lesion_cnn"),
        ({"schedule": "steps"}, "Unknown schedule"),
        ({"balance": "all"}, "Unknown balance"),
        ({"size": 8}, "32 to 1024 pixels, not 8"),
        ({"epochs": 0}, "must be positive"),
        ({"moving_average": 1.0}, r"lie in \[0, 1\)"),
        ({"dropout": 1.0}, r"Dropout lies in \[0, 1\)"),
    ],
)
def test_a_bad_configuration_is_refused_when_it_is_made(settings: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Configuration(**settings)


def test_the_configuration_holds_the_dropout_that_is_used() -> None:
    assert Configuration().dropout == 0.3
    assert Configuration(network="lesion_cnn").dropout == 0.5
    assert Configuration(dropout=0.0).dropout == 0.0


def test_the_best_epoch_is_the_first_with_the_largest_macro_auc() -> None:
    history = [{"validation_macro_auc": value} for value in (0.5, 0.8, 0.8, 0.7)]
    assert best_epoch(history) == 1
    assert stale_epochs(history) == 2
    assert stale_epochs([]) == 0


def test_logits_are_brought_to_the_natural_class_mix() -> None:
    model = lesion_cnn(32, classes=3)
    image = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    before = model(image).numpy()
    balance = class_balance(np.array([0] * 8 + [1] * 4 + [2] * 2), 3, "oversample")
    to_natural_mix(model, balance)
    np.testing.assert_allclose(model(image).numpy(), before - np.log(balance.odds), rtol=1e-5)

import numpy as np
import pytest

from model.augmentation import Augmentation
from model.input_pipeline import class_balance, epoch_order, training_batches

LABELS = np.array([0] * 60 + [1] * 30 + [2] * 10)
ROWS = np.arange(100) + 1000
STILL = Augmentation(crop=1.0, rotation=0.0, brightness=0.0, contrast=0.0, saturation=0.0)


def test_weights_follow_the_inverse_root_of_frequency_and_average_one() -> None:
    balance = class_balance(LABELS, 3, "weights")
    np.testing.assert_allclose(balance.weights / balance.weights[0], [1, 2**0.5, 6**0.5])
    assert balance.weights[LABELS].mean() == pytest.approx(1)
    np.testing.assert_allclose(balance.odds, balance.weights)


def test_oversampling_draws_classes_equally_and_only_from_the_given_rows() -> None:
    balance = class_balance(LABELS, 3, "oversample")
    drawn = np.concatenate([epoch_order(LABELS, ROWS, balance, 0, epoch) for epoch in range(100)])
    assert set(drawn) <= set(ROWS)
    np.testing.assert_allclose(np.bincount(LABELS[drawn - 1000]) / len(drawn), [1 / 3] * 3, atol=0.02)
    np.testing.assert_allclose(balance.odds, [1 / 3 / 0.6, 1 / 3 / 0.3, 1 / 3 / 0.1])


def test_without_oversampling_an_epoch_is_a_permutation_of_its_own() -> None:
    balance = class_balance(LABELS, 3, "none")
    first, second = (epoch_order(LABELS, ROWS, balance, 0, epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(ROWS)
    assert list(first) != list(second)


def test_a_class_without_training_case_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a training case"):
        class_balance(np.array([0, 0, 2]), 3, "weights")


def _batches(epochs: range, augmentation: Augmentation = STILL, batch: int = 32) -> list[tuple[np.ndarray, ...]]:
    images = np.random.default_rng(0).integers(0, 256, (100, 16, 16, 3), np.uint8)
    balance = class_balance(LABELS, 3, "weights")
    dataset = training_batches(
        images,
        LABELS,
        np.arange(100),
        balance,
        size=16,
        batch=batch,
        seed=5,
        epochs=epochs,
        augmentation=augmentation,
    )
    return [tuple(part.numpy() for part in batch) for batch in dataset]


def test_an_epoch_is_of_whole_batches_with_each_case_at_most_once() -> None:
    batches = _batches(range(2))
    assert [len(images) for images, _, _ in batches] == [32, 32, 32] * 2
    for epoch in (batches[:3], batches[3:]):
        labels = np.concatenate([labels for _, labels, _ in epoch])
        weights = np.concatenate([weights for _, _, weights in epoch])
        assert (labels.sum(axis=0) <= [60, 30, 10]).all()
        np.testing.assert_allclose(weights, class_balance(LABELS, 3, "weights").weights[labels.argmax(axis=1)])


def test_fewer_cases_than_a_batch_make_one() -> None:
    assert [len(images) for images, _, _ in _batches(range(1), batch=128)] == [100]


def test_square_root_sampling_draws_in_proportion_to_the_root_of_frequency() -> None:
    balance = class_balance(LABELS, 3, "square-root")
    np.testing.assert_allclose(balance.sampling / balance.sampling[2], [6**0.5, 3**0.5, 1])
    np.testing.assert_array_equal(balance.weights, [1, 1, 1])
    np.testing.assert_allclose(balance.odds, balance.sampling / balance.prior)


def test_a_resumed_pipeline_continues_as_the_uninterrupted_one() -> None:
    whole, resumed = _batches(range(3), Augmentation()), _batches(range(2, 3), Augmentation())
    for expected, given in zip(whole[6:], resumed, strict=True):
        for left, right in zip(expected, given, strict=True):
            np.testing.assert_array_equal(left, right)

import numpy as np
import pytest
import tensorflow as tf

from model.augmentation import Augmentation, augment

STILL = Augmentation(crop=1.0, rotation=0.0, brightness=0.0, contrast=0.0, saturation=0.0)
SEED = tf.constant([1, 2])


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


def test_without_ranges_only_flips_and_quarter_turns_are_left(image: np.ndarray) -> None:
    turned = [np.rot90(side, turns) for side in (image, image[:, ::-1]) for turns in range(4)]
    results = augment(np.stack([image] * 64), SEED, 16, STILL).numpy()
    which = [[bool(np.abs(result - other).max() < 0.5) for other in turned] for result in results]
    assert all(sum(row) == 1 for row in which)
    assert np.any(which, axis=0).all()


def test_a_full_crop_of_a_larger_image_is_its_reduction() -> None:
    ramp = np.tile(np.linspace(0, 255, 40, dtype=np.float32)[:, np.newaxis, np.newaxis], (1, 40, 3))
    result = augment(ramp[np.newaxis], SEED, 20, STILL).numpy()[0]
    expected = ramp.reshape(20, 2, 20, 2, 3).mean(axis=(1, 3))
    assert min(np.abs(result - np.rot90(expected, turns)).max() for turns in range(4)) < 0.5


def test_the_same_seed_gives_the_same_images_in_range(image: np.ndarray) -> None:
    batch = np.stack([image] * 32)
    first, second = (augment(batch, SEED, 16, Augmentation()).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 255
    assert np.ptp(first, axis=0).max() > 50


def test_colour_changes_stay_within_their_ranges() -> None:
    grey = np.full((256, 8, 8, 3), 128, np.uint8)
    settings = Augmentation(crop=1.0, rotation=0.0, brightness=0.1, contrast=0.0, saturation=0.5)
    result = augment(grey, SEED, 8, settings).numpy()
    assert np.abs(result - 128).max() <= 25.5 + 1e-3
    assert np.abs(result - 128).max() > 20
    assert np.ptp(result, axis=3).max() < 1e-3

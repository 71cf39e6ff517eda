from pathlib import Path

import keras
import numpy as np
import pytest

from model.checkpoint import CHECKPOINT_FILE, Checkpoint, restore_checkpoint, save_checkpoint


def tiny_network() -> keras.Model:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(2)])
    optimizer = keras.optimizers.AdamW(0.1, use_ema=True)
    model.compile(optimizer, "mse", jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


def step(model: keras.Model) -> None:
    model.train_on_batch(np.ones((8, 3), np.float32), np.ones((8, 2), np.float32))


def test_a_restored_network_goes_on_as_the_saved_one_would(tmp_path: Path) -> None:
    saved, restored = tiny_network(), tiny_network()
    step(saved)
    save_checkpoint(tmp_path, saved, Checkpoint([{"epoch": 1, "loss": 2.5}], saved.get_weights()))
    best = saved.get_weights()
    checkpoint = restore_checkpoint(tmp_path, restored)
    assert checkpoint is not None
    assert checkpoint.history == [{"epoch": 1, "loss": 2.5}]
    for expected, given in zip(best, checkpoint.best_weights, strict=True):
        np.testing.assert_array_equal(expected, given)
    for model in (saved, restored):
        step(model)
    for expected, given in zip(saved.variables, restored.variables, strict=True):
        np.testing.assert_array_equal(expected.numpy(), given.numpy())


def test_without_a_checkpoint_there_is_nothing_to_restore(tmp_path: Path) -> None:
    assert restore_checkpoint(tmp_path, tiny_network()) is None


def test_a_crash_while_writing_leaves_the_older_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_network()
    save_checkpoint(tmp_path, model, Checkpoint([{"epoch": 1}], model.get_weights()))
    before = (tmp_path / CHECKPOINT_FILE).read_bytes()
    step(model)

    def crash(file: int) -> None:
        raise OSError("power cut")

    monkeypatch.setattr("model.atomic.os.fsync", crash)
    with pytest.raises(OSError, match="power cut"):
        save_checkpoint(tmp_path, model, Checkpoint([{"epoch": 1}, {"epoch": 2}], model.get_weights()))
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == before

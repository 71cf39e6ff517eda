"""The state of a training between two epochs, in one file that is complete or not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.atomic import write_atomically

if TYPE_CHECKING:
    import keras

CHECKPOINT_FILE = "checkpoint.npz"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a training needs to go on: the epochs done with their figures, and the weights of the best of them.

    `history` has one row of figures per finished epoch; `best_weights` are in the order of `model.get_weights()`.
    """

    history: list[dict[str, float]]
    best_weights: list[NDArray[np.float32]]


def save_checkpoint(folder: Path, model: keras.Model, checkpoint: Checkpoint) -> None:
    """Write model, optimizer, dropout states and `checkpoint` into `folder`, replacing the older file atomically."""
    arrays: dict[str, Any] = {f"state_{i}": variable.numpy() for i, variable in enumerate(_state(model))}
    arrays |= {f"best_{i}": weight for i, weight in enumerate(checkpoint.best_weights)}
    arrays["history"] = json.dumps(checkpoint.history)
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(folder / CHECKPOINT_FILE, buffer.getvalue())


def restore_checkpoint(folder: Path, model: keras.Model) -> Checkpoint | None:
    """Bring `model`, built and compiled as when it was saved, to the state in `folder`; None where there is none."""
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        for index, variable in enumerate(_state(model)):
            variable.assign(arrays[f"state_{index}"])
        best = [arrays[name] for name in sorted(arrays.files, key=_number) if name.startswith("best_")]
        return Checkpoint(json.loads(str(arrays["history"])), best)


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _number(name: str) -> int:
    return int(name.rpartition("_")[2]) if "_" in name else -1

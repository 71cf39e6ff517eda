"""Training of one network on one split, resumable after any interruption with the same result."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.atomic import write_atomically
from model.augmentation import Augmentation
from model.cases import fingerprint
from model.checkpoint import CHECKPOINT_FILE, Checkpoint, restore_checkpoint, save_checkpoint
from model.classes import CODES
from model.image_cache import cached_images
from model.input_pipeline import BALANCES, ClassBalance, class_balance, steps_per_epoch, training_batches
from model.networks import DROPOUT, NETWORKS
from model.prediction import batches, decide
from model.splits import Split

if TYPE_CHECKING:
    import keras

SCHEDULES = ("cosine", "plateau")
CONFIGURATION_FILE = "configuration.json"
# Training images are cached larger than the network's input, so that small crops lose little detail.
MARGIN = 1.5


class TrainingError(ValueError):
    """A training cannot start or go on as asked; the message says why and what would work."""


@dataclass(frozen=True)
class Configuration:
    """How to train: network, split, input size (pixels), schedule and regularisation.

    `dropout` is the network's (`model.networks`), None for its usual one, which the configuration then holds.
    `moving_average` is the decay per step of the exponential moving average of the weights, which is what is
    validated and kept; `patience` is the number of epochs without a better validation macro AUC after which training
    stops. `cosine` warms up linearly over the first epoch and decays to zero at the last; `plateau` starts at
    `learning_rate` and halves it after three epochs without a better validation loss.
    The defaults are the recipe of the shipped model (docs/recipes.md). Raises TrainingError for values outside their
    range.
    """

    network: str = "efficientnet_lite0"
    protocol: str = "lesion"
    fold: int = 0
    size: int = 192
    epochs: int = 12
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    schedule: str = "cosine"
    balance: str = "weights"
    label_smoothing: float = 0.0
    dropout: float | None = None
    moving_average: float = 0.995
    patience: int = 10
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        choices = {"network": tuple(NETWORKS), "schedule": SCHEDULES, "balance": BALANCES}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise TrainingError(f"Unknown {name} {getattr(self, name)!r}; known are {', '.join(allowed)}.")
        if self.dropout is None:
            object.__setattr__(self, "dropout", DROPOUT[self.network])
        elif not 0 <= self.dropout < 1:
            raise TrainingError("Dropout lies in [0, 1).")
        if not 32 <= self.size <= 1024:
            raise TrainingError(f"The input size is 32 to 1024 pixels, not {self.size}.")
        if min(self.epochs, self.batch, self.patience) < 1 or self.learning_rate <= 0:
            raise TrainingError("Epochs, batch, patience and learning rate must be positive.")
        if not (0 <= self.label_smoothing < 1 and 0 < self.moving_average < 1):
            raise TrainingError("Label smoothing and moving average lie in [0, 1).")
        if self.weight_decay < 0:
            raise TrainingError("Weight decay is not negative.")


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training stands: `epoch` (1-based) of `epochs`, `step` of `steps`, and the epochs finished so far."""

    epoch: int
    epochs: int
    step: int
    steps: int
    images_per_second: float
    seconds_left: float
    loss: float
    history: list[dict[str, float]]


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """A trained network (logits for the natural class mix) with its history; `completed` is False after Ctrl-C."""

    model: keras.Model
    configuration: Configuration
    class_prior: NDArray[np.float64]
    history: list[dict[str, float]]
    completed: bool


def train(
    cases: pd.DataFrame,
    split: Split,
    configuration: Configuration,
    folder: Path,
    *,
    cache: Path,
    resume: bool = False,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    on_decode: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train on `split.train`, choose the epoch on `split.validation`, keep the state of every epoch in `folder`.

    With `resume` it goes on from the last finished epoch in `folder`, under the same configuration. A resumed
    training ends with the same weights, bit by bit, as an uninterrupted one on the same machine. Ctrl-C
    (KeyboardInterrupt) ends it with the best finished epoch; before the first one is finished it is passed on.
    Raises TrainingError when the folder holds another training.
    """

    _prepare_folder(folder, configuration, cases, resume)
    labels = cases["diagnosis"].map(CODES.index).to_numpy(dtype=np.intp)
    balance = class_balance(labels[split.train], len(CODES), configuration.balance)
    paths = list(cases["path"])
    large = cached_images(paths, round(configuration.size * MARGIN), cache, on_decode)
    small = cached_images(paths, configuration.size, cache, on_decode)

    make_deterministic(configuration.seed)
    steps = steps_per_epoch(len(split.train), configuration.batch)
    assert configuration.dropout is not None
    model = NETWORKS[configuration.network](configuration.size, len(CODES), configuration.dropout)
    compile_network(model, configuration, steps)
    state = restore_checkpoint(folder, model) or Checkpoint([], [])
    plateau = _replayed_plateau(model, configuration, state.history)
    epochs = range(len(state.history), configuration.epochs)
    completed = True
    cpu_started = time.process_time()
    try:
        data = iter(
            training_batches(
                large,
                labels,
                split.train,
                balance,
                size=configuration.size,
                batch=configuration.batch,
                seed=configuration.seed,
                epochs=epochs,
                augmentation=configuration.augmentation,
            )
            if epochs
            else ()
        )
        for epoch in epochs:
            if stale_epochs(state.history) >= configuration.patience:
                break
            progress = _train_epoch(model, data, epoch, steps, configuration, state.history, on_progress)
            raw = model.get_weights()
            model.optimizer.finalize_variable_values(model.trainable_variables)
            figures = _validate(model, small, split.validation, labels, balance)
            cost = {"cpu_seconds": time.process_time() - cpu_started}
            cpu_started += cost["cpu_seconds"]
            row = {"epoch": epoch + 1, "loss": progress.loss, **figures, **cost}
            state = _advanced(state, row, model.get_weights())
            model.set_weights(raw)
            if plateau is not None:
                plateau.on_epoch_end(epoch, state.history[-1])
            save_checkpoint(folder, model, state)
            if on_progress is not None:
                on_progress(replace(progress, history=state.history))
    except KeyboardInterrupt:
        if not state.history:
            raise
        completed = False
    model.set_weights(state.best_weights)
    to_natural_mix(model, balance)
    return TrainingResult(model, configuration, balance.prior, state.history, completed)


def settings(training: Mapping[str, Any], apart: Collection[str]) -> dict[str, Any]:
    """The configuration that a card's `training` records, but for what `apart` names; None where it does not say."""
    return {field.name: training.get(field.name) for field in fields(Configuration) if field.name not in apart}


def best_epoch(history: list[dict[str, float]]) -> int:
    """Index of the epoch with the largest validation macro AUC, the first of equals."""
    return int(np.argmax([row["validation_macro_auc"] for row in history]))


def stale_epochs(history: list[dict[str, float]]) -> int:
    """How many epochs have passed since the best one; 0 before the first."""
    return len(history) - 1 - best_epoch(history) if history else 0


def make_deterministic(seed: int) -> None:
    """Make TensorFlow repeat itself bit by bit on one machine, whatever else the machine is doing.

    oneDNN's results depend on how many threads it is given, and with more than one operation under way that number
    varies; so operations run one at a time, each on all cores.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        if tf.config.threading.get_inter_op_parallelism_threads() != 1:
            raise TrainingError("Training must start before TensorFlow is used otherwise in this process.") from error


def to_natural_mix(model: keras.Model, balance: ClassBalance) -> None:
    """Shift the last biases by -log(odds), so that the logits are those for the training cases' own class mix."""
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([kernel, bias - np.log(balance.odds).astype(np.float32)])


def _prepare_folder(folder: Path, configuration: Configuration, cases: pd.DataFrame, resume: bool) -> None:
    path = folder / CONFIGURATION_FILE
    content = json.dumps({**asdict(configuration), "data": fingerprint(cases)}, indent=2)
    if resume and not path.exists():
        raise TrainingError(f"There is no training in {folder} to resume; leave --resume away to start one.")
    if resume and (theirs := path.read_text(encoding="utf-8")) != content:
        raise TrainingError(f"The training in {folder} was started otherwise: {_differences(theirs, content)}.")
    if not resume and (folder / CHECKPOINT_FILE).exists():
        raise TrainingError(f"{folder} holds a training already: go on with --resume, or give another --out.")
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():  # else what lies there is not a training's
        for left_by_a_crash in folder.glob(".*.part"):
            shutil.rmtree(left_by_a_crash) if left_by_a_crash.is_dir() else left_by_a_crash.unlink()
    write_atomically(path, content.encode())


def _differences(theirs: str, ours: str) -> str:
    before, now = json.loads(theirs), json.loads(ours)
    return ", ".join(f"{key} {before.get(key)} there, {now[key]} here" for key in now if before.get(key) != now[key])


def compile_network(model: keras.Model, configuration: Configuration, steps: int) -> None:
    """Compile `model` for a training of `configuration` with `steps` steps an epoch."""
    import keras

    rate: Any = configuration.learning_rate
    if configuration.schedule == "cosine":
        decay = max(1, (configuration.epochs - 1) * steps)
        rate = keras.optimizers.schedules.CosineDecay(
            rate / steps, decay, warmup_target=rate, warmup_steps=steps if configuration.epochs > 1 else 0
        )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=configuration.weight_decay, use_ema=True, ema_momentum=configuration.moving_average
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=configuration.label_smoothing)
    # XLA makes these networks slower on the CPU.
    model.compile(optimizer, loss, jit_compile=False)
    optimizer.build(model.trainable_variables)


def _replayed_plateau(
    model: keras.Model, configuration: Configuration, history: list[dict[str, float]]
) -> keras.callbacks.ReduceLROnPlateau | None:
    """Keras' own schedule, shown the epochs that are past: its counters are not in the checkpoint."""
    import keras

    if configuration.schedule != "plateau":
        return None
    plateau = keras.callbacks.ReduceLROnPlateau("validation_loss", factor=0.5, patience=3)
    plateau.set_model(model)
    plateau.on_train_begin()
    rate = float(model.optimizer.learning_rate)
    for epoch, row in enumerate(history):
        plateau.on_epoch_end(epoch, dict(row))
    model.optimizer.learning_rate = rate
    return plateau


def _train_epoch(
    model: keras.Model,
    data: Iterator[Any],
    epoch: int,
    steps: int,
    configuration: Configuration,
    history: list[dict[str, float]],
    on_progress: Callable[[TrainingProgress], None] | None,
) -> TrainingProgress:
    started, seen, summed = time.perf_counter(), 0, 0.0
    for step in range(1, steps + 1):
        images, labels, weights = next(data)
        summed += float(model.train_on_batch(images, labels, sample_weight=weights)) * len(labels)
        seen += len(labels)
        seconds = time.perf_counter() - started
        left = seconds / step * ((configuration.epochs - epoch) * steps - step)
        progress = TrainingProgress(
            epoch + 1, configuration.epochs, step, steps, seen / seconds, left, summed / seen, history
        )
        if on_progress is not None:
            on_progress(progress)
    return progress


def _validate(
    model: keras.Model,
    images: NDArray[np.uint8],
    rows: NDArray[np.intp],
    labels: NDArray[np.intp],
    balance: ClassBalance,
) -> dict[str, float]:
    from scipy.special import log_softmax
    from sklearn.metrics import recall_score, roc_auc_score

    logits = keras_logits(model, images, rows) - np.log(balance.odds)
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    truth, probabilities = labels[rows], np.exp(log_probabilities)
    # A small validation part may lack a class; the figures are then those of the classes that it has.
    present = np.unique(truth)
    auc = [roc_auc_score(truth == index, probabilities[:, index]) for index in present if len(present) > 1]
    called = decide(probabilities, balance.prior)
    return {
        "validation_loss": float(-log_probabilities[np.arange(len(rows)), truth].mean()),
        "validation_balanced_accuracy": float(
            recall_score(truth, called, labels=present, average="macro", zero_division=0)
        ),
        "validation_macro_auc": float(np.mean(auc)) if auc else 0.5,
    }


def keras_logits(model: keras.Model, images: NDArray[np.uint8], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Logits (n, classes) of `images[rows]` by the Keras model."""
    chunks = [model.predict_on_batch(images[rows[part]].astype(np.float32)) for part in batches(len(rows), 64)]
    return np.concatenate(chunks)


def _advanced(state: Checkpoint, row: dict[str, float], weights: list[NDArray[np.float32]]) -> Checkpoint:
    history = [*state.history, row]
    return Checkpoint(history, weights if stale_epochs(history) == 0 else state.best_weights)

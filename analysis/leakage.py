"""Leakage: the same network under the same budget, measured on a split that leaks and on one that does not."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.confusion import confusion_matrices
from analysis.metrics import Metrics, balanced_accuracies, evaluate
from analysis.overlap import TOTAL, seen_in_training
from analysis.predictions import PredictionsError, read_committed
from analysis.shares import share
from model.bundle import Card
from model.classes import CODES
from model.input_pipeline import steps_per_epoch
from model.prediction import Predictor, batches, calibrated_probabilities, decide
from model.splits import Split
from model.training import settings

COMPARED = ("oversampled", "lesion")
HOW_TO_WRITE = "lesionlens leakage --data PATH --models BUNDLE BUNDLE --save"
FLAGS = ("image_in_training", "lesion_in_training")
BATCH = 64
# Two budgets of whole epochs can be made equal but for this share of their steps.
BUDGET_TOLERANCE = 0.02
# What two compared trainings may differ in, or what is compared by itself.
APART = ("network", "size", "protocol", "fold", "batch", "epochs")


class LeakageError(ValueError):
    """Two trainings cannot be compared; the message says why and what would work."""


@dataclass(frozen=True)
class Training:
    """How one of the compared networks was trained, in `steps` optimiser steps, which is the budget that they share.

    `rows` are those of the training part, repetitions counted; `settings` are all others that must not differ.
    """

    model: str
    network: str
    size: int
    protocol: str
    fold: int
    rows: int
    batch: int
    epochs: int
    steps: int
    best_epoch: int
    settings: dict[str, Any]
    data: str


@dataclass(frozen=True)
class Memory:
    """Accuracy on the test rows of one diagnosis, or of all (`total`), that training has seen, and on the others.

    A row is seen when its lesion is in training, `copies` is the share of rows whose very image is.
    """

    diagnosis: str
    rows: int
    copies: float
    seen: int
    accuracy_seen: Estimate
    accuracy_unseen: Estimate


@dataclass(frozen=True)
class Face:
    """What a network's test part says of it, under one split.

    `metrics` count the most probable class as called, as the original report does; `adjusted` is the balanced accuracy
    when the class is called whose probability is largest in proportion to its share of the training rows.
    """

    training: Training
    metrics: Metrics
    adjusted: Estimate
    memory: tuple[Memory, ...]


def predict_test_rows(
    predictor: Predictor, cases: pd.DataFrame, parts: Split, images: NDArray[np.uint8]
) -> pd.DataFrame:
    """The predictions of every row of the test part, repeated as the part repeats it.

    `images` are the prepared images of `cases`, uint8 (n, size, size, 3). Columns: image_id, lesion_id, diagnosis,
    `predicted` (the most probable class), `adjusted` (the class whose probability is largest in proportion to its
    share of the training rows), `logit_<code>` and `probability_<code>` (float32), `image_in_training` and
    `lesion_in_training` (bool). How the network was trained is in the table's `attrs`, which Parquet keeps.
    """
    card = predictor.bundle.card
    tested, places = np.unique(parts.test, return_inverse=True)
    logits = np.concatenate([predictor.logits(images[tested[part]]) for part in batches(len(tested), BATCH)])[places]
    probabilities = calibrated_probabilities(logits, card.temperature)
    test = cases.iloc[parts.test]
    codes = np.array(card.classes)
    table = test[["image_id", "lesion_id", "diagnosis"]].reset_index(drop=True)
    table["predicted"] = codes[probabilities.argmax(axis=1)]
    table["adjusted"] = codes[decide(probabilities, card.class_prior)]
    for index, code in enumerate(card.classes):
        table[f"logit_{code}"] = logits[:, index]
        table[f"probability_{code}"] = probabilities[:, index].astype(np.float32)
    seen = seen_in_training(cases.iloc[parts.train], test)
    table[list(FLAGS)] = seen[["image", "lesion"]].to_numpy()
    table.attrs = {"training": asdict(training_of(card))}
    return table


def training_of(card: Card) -> Training:
    """How the model of `card` was trained; raises LeakageError where the card does not say."""
    try:
        rows, batch, epochs = card.split["train"], card.training["batch"], card.training["epochs_done"]
        return Training(
            model=card.name,
            network=card.network,
            size=card.size,
            protocol=card.split["protocol"],
            fold=card.split["fold"],
            rows=rows,
            batch=batch,
            epochs=epochs,
            steps=epochs * steps_per_epoch(rows, batch),
            best_epoch=card.training["best_epoch"],
            settings=settings(card.training, APART),
            data=card.data["fingerprint"],
        )
    except KeyError as error:
        raise LeakageError(f"The card of {card.name} does not tell its {error.args[0]}.") from error


def check_comparable(trainings: Sequence[Training]) -> None:
    """Raise LeakageError unless the trainings differ in nothing but their split, one of each protocol of COMPARED."""
    first, second = trainings
    if {first.protocol, second.protocol} != set(COMPARED):
        raise LeakageError(
            f"{first.model} and {second.model} were trained on protocols {first.protocol} and {second.protocol}; "
            f"one of {' and one of '.join(COMPARED)} are compared."
        )
    for name in ("network", "size", "batch", "data"):
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            raise LeakageError(f"{first.model} and {second.model} differ in {name}: {one} and {other}.")
    different = [key for key in first.settings if first.settings[key] != second.settings[key]]
    if different:
        raise LeakageError(f"{first.model} and {second.model} were trained otherwise: {', '.join(different)} differ.")
    if abs(first.steps - second.steps) > BUDGET_TOLERANCE * max(first.steps, second.steps):
        raise LeakageError(
            f"{first.model} took {first.steps:,} steps and {second.model} {second.steps:,}: a comparison needs the "
            "same budget; choose the epochs of one so that the steps agree."
        )


def face(table: pd.DataFrame) -> Face:
    """The figures of a table of `predict_test_rows`, with 95 % intervals bootstrapped over lesions."""
    called = table.assign(predicted=table["adjusted"])
    adjusted = balanced_accuracies(confusion_matrices(called, CODES, lesion_weights(table["lesion_id"])))
    training = Training(**table.attrs["training"])
    return Face(training, evaluate(table, CODES), estimate(adjusted), memory(table))


def memory(table: pd.DataFrame) -> tuple[Memory, ...]:
    """Accuracy on rows that training has seen and on others, of all rows (`total`) and of every diagnosis."""
    copy, seen = (table[flag].to_numpy(bool) for flag in FLAGS)
    diagnosis = table["diagnosis"].to_numpy(str)
    groups = {TOTAL: np.ones(len(table), bool)} | {code: diagnosis == code for code in CODES if code in diagnosis}
    rows = np.stack([part for group in groups.values() for part in (group & seen, group & ~seen)], axis=1)
    right = rows & (table["predicted"].to_numpy(str) == diagnosis)[:, np.newaxis]
    weights = lesion_weights(table["lesion_id"])
    accuracies = share(weights @ right.astype(np.float32), weights @ rows.astype(np.float32))
    return tuple(
        Memory(
            diagnosis=name,
            rows=int(group.sum()),
            copies=float(copy[group].mean()),
            seen=int((group & seen).sum()),
            accuracy_seen=estimate(accuracies[:, 2 * index]),
            accuracy_unseen=estimate(accuracies[:, 2 * index + 1]),
        )
        for index, (name, group) in enumerate(groups.items())
    )


def predictions_file(protocol: str) -> str:
    """The name of the file that holds the predictions of the network trained on `protocol`."""
    return f"leakage_{protocol}.parquet"


def read_faces(folder: Path) -> tuple[Face, ...]:
    """The leaky and the honest face, from the predictions in `folder`; raises PredictionsError where there are none."""
    tables = [read_committed(folder / predictions_file(protocol), HOW_TO_WRITE) for protocol in COMPARED]
    scores = [f"{kind}_{code}" for kind in ("logit", "probability") for code in CODES]
    for protocol, table in zip(COMPARED, tables, strict=True):
        columns = ("image_id", "lesion_id", "diagnosis", "predicted", "adjusted", *FLAGS, *scores)
        missing = [name for name in columns if name not in table]
        if missing or "training" not in table.attrs:
            raise PredictionsError(f"{folder / predictions_file(protocol)} has no {', '.join(missing) or 'training'}.")
    return tuple(face(table) for table in tables)

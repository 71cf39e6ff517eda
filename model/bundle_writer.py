"""Writing a model bundle: architecture, weights, the ONNX serving graph, the card and the history."""

from __future__ import annotations

from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.atomic import write_atomically
from model.bundle import (
    ARCHITECTURE_FILE,
    HISTORY_FILE,
    ONNX_FILE,
    WEIGHTS_FILE,
    Card,
    ModelBundle,
    load_bundle,
    write_card,
)
from model.calibration import fit_temperature
from model.cases import fingerprint
from model.classes import CODES
from model.images import upright_size
from model.keras_model import architecture_json, round_to_stored, stored_weights
from model.novelty import NOVELTY_FILE, fit_novelty, novelty_file
from model.prediction import Predictor, batches
from model.serving_graph import serving_graph
from model.splits import Split
from model.training import MARGIN, TrainingResult, best_epoch, keras_logits

if TYPE_CHECKING:
    import keras

LICENCE = (
    "Trained on HAM10000 (CC BY-NC 4.0, Tschandl et al. 2018, doi:10.1038/sdata.2018.161): non-commercial use only, "
    "with attribution."
)
PRETRAINED = {"efficientnet_lite0": " ImageNet weights of EfficientNet-Lite0: Apache-2.0."}
PREPROCESSING = (
    "RGB, resized to a square bilinearly with antialiasing (the aspect ratio is not kept), float32 in [0, 255]; "
    "the graphs scale it themselves."
)
INTENDED_USE = "Teaching and research on how image classifiers reason. Not a medical device, not for diagnosis."
PACKAGES = ("keras", "numpy", "onnxruntime", "pandas", "pillow", "scikit-learn", "tensorflow-cpu", "tf2onnx")


def write_bundle(
    folder: Path,
    result: TrainingResult,
    cases: pd.DataFrame,
    parts: Split,
    images: NDArray[np.uint8],
    name: str,
) -> ModelBundle:
    """Write the bundle of a trained network into `folder`, which must not exist yet; its test part is still unseen.

    `images`, uint8 (n, size, size, 3), are the prepared images of `cases`; the temperature is fitted to the
    validation part. The weights of `result.model` are rounded to those of the bundle.
    """
    round_to_stored(result.model)
    folder.mkdir(parents=True)
    configuration = result.configuration
    labels = cases["diagnosis"].map(CODES.index).to_numpy(dtype=np.intp)[parts.validation]
    logits = keras_logits(result.model, images, parts.validation)
    card = Card(
        name=name,
        network=configuration.network,
        classes=CODES,
        size=configuration.size,
        temperature=fit_temperature(logits, labels),
        class_prior=tuple(float(share) for share in result.class_prior),
        preprocessing=PREPROCESSING,
        training={
            **asdict(configuration),
            "margin": MARGIN,
            "completed": result.completed,
            "best_epoch": best_epoch(result.history) + 1,
            "epochs_done": len(result.history),
            "cpu_hours": _cpu_hours(result.history),
        },
        split={
            "protocol": configuration.protocol,
            "fold": configuration.fold,
            "seed": configuration.seed,
            **{field.name: len(getattr(parts, field.name)) for field in fields(parts)},
        },
        data={
            "cases": len(cases),
            "lesions": int(cases["lesion_id"].nunique()),
            "fingerprint": fingerprint(cases),
            "picture_size": upright_size(Path(cases["path"].iloc[0]).read_bytes()),  # the others' as a rule
        },
        versions={package: version(package) for package in PACKAGES},
        licence=LICENCE + PRETRAINED.get(configuration.network, ""),
        intended_use=INTENDED_USE,
    )
    write_network(folder, result.model)
    pd.DataFrame(result.history).to_csv(folder / HISTORY_FILE, index=False, lineterminator="\n")
    write_card(folder, card)
    bundle = load_bundle(folder)
    write_learnt_cases(bundle, cases, parts)
    write_novelty_check(bundle, images, parts)
    return bundle


def _cpu_hours(history: list[dict[str, float]]) -> float | None:
    """What the training took in all; None where an epoch has not counted it."""
    seconds = [row.get("cpu_seconds") for row in history]
    return None if None in seconds else sum(filter(None, seconds)) / 3600


def write_network(folder: Path, model: keras.Model) -> None:
    """Write architecture.json, weights.safetensors and serving.onnx of `model`, rounded to stored weights before."""
    from safetensors.numpy import save

    weights_file = save(stored_weights(model))
    (folder / ARCHITECTURE_FILE).write_text(architecture_json(model), encoding="utf-8")
    (folder / WEIGHTS_FILE).write_bytes(weights_file)
    (folder / ONNX_FILE).write_bytes(serving_graph(model, weights_file))


def write_learnt_cases(bundle: ModelBundle, cases: pd.DataFrame, parts: Split) -> None:
    """Write which cases the model of `bundle` was trained or validated on, so that it is not judged by them later."""
    rows = np.unique(np.concatenate([parts.train, parts.validation]))  # `oversampled` repeats images
    cases.iloc[rows][["image_id", "lesion_id"]].to_parquet(bundle.learnt_path, index=False, compression="zstd")


def write_novelty_check(bundle: ModelBundle, images: NDArray[np.uint8], parts: Split) -> None:
    """Write novelty.npz of `bundle`: its check for images that are no dermatoscopy, fitted to what it was trained on.

    `images` and `parts` as for write_bundle; the test part is not looked at.
    """
    predictor = Predictor(bundle)

    def embeddings(rows: NDArray[np.intp]) -> NDArray[np.float32]:
        return np.concatenate([predictor.run(images[rows[part]]).embedding for part in batches(len(rows), 32)])

    # `oversampled` repeats images in its parts.
    check = fit_novelty(embeddings(np.unique(parts.train)), embeddings(np.unique(parts.validation)))
    write_atomically(bundle.path / NOVELTY_FILE, novelty_file(check))

"""Writing a model bundle: the Keras file, the ONNX serving graph, the linear head, the card and the history."""

from __future__ import annotations

from dataclasses import asdict, fields
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.bundle import (
    HEAD_FILE,
    HISTORY_FILE,
    KERAS_FILE,
    ONNX_FILE,
    Card,
    ModelBundle,
    load_bundle,
    write_card,
)
from model.calibration import fit_temperature
from model.cases import fingerprint
from model.classes import CODES
from model.splits import Split
from model.training import TrainingResult, best_epoch, keras_logits

if TYPE_CHECKING:
    import keras

LICENCE = (
    "Trained on HAM10000 (CC BY-NC 4.0, Tschandl et al. 2018, doi:10.1038/sdata.2018.161): non-commercial use only, "
    "with attribution. ImageNet weights of EfficientNet-Lite0: Apache-2.0."
)
PREPROCESSING = (
    "RGB, resized to a square bilinearly with antialiasing (the aspect ratio is not kept), float32 in [0, 255]; "
    "the graphs scale it themselves."
)
INTENDED_USE = "Teaching and research on how image classifiers reason. Not a medical device, not for diagnosis."
PACKAGES = ("keras", "numpy", "onnxruntime", "pandas", "pillow", "scikit-learn", "tensorflow-cpu", "tf2onnx")
# The newest operator set that tf2onnx writes.
OPSET = 18


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
    validation part.
    """
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
            "completed": result.completed,
            "best_epoch": best_epoch(result.history) + 1,
            "epochs_done": len(result.history),
        },
        split={
            "protocol": configuration.protocol,
            "fold": configuration.fold,
            "seed": configuration.seed,
            **{field.name: len(getattr(parts, field.name)) for field in fields(parts)},
        },
        data={"cases": len(cases), "lesions": int(cases["lesion_id"].nunique()), "fingerprint": fingerprint(cases)},
        versions={package: version(package) for package in PACKAGES},
        licence=LICENCE,
        intended_use=INTENDED_USE,
    )
    write_graphs(folder, result.model)
    pd.DataFrame(result.history).to_csv(folder / HISTORY_FILE, index=False, lineterminator="\n")
    write_card(folder, card)
    return load_bundle(folder)


def write_graphs(folder: Path, model: keras.Model) -> None:
    """Write model.keras, serving.onnx and, where the network has a linear head, head.npz into `folder`."""
    import keras

    # A model without its optimizer: a third of the size.
    keras.Model(model.inputs[0], model.outputs[0], name=model.name).save(folder / KERAS_FILE)
    (folder / ONNX_FILE).write_bytes(serving_graph(model))
    if (weights := linear_head(model)) is not None:
        buffer = BytesIO()
        np.savez(buffer, kernel=weights[0], bias=weights[1])
        (folder / HEAD_FILE).write_bytes(buffer.getvalue())


def serving_graph(model: keras.Model) -> bytes:
    """The ONNX graph of `model`: input `image`, outputs `logits`, `features` (n, h, w, c) and `embedding`."""
    import tensorflow as tf
    import tf2onnx
    from keras import Model

    layers = {"logits": model.get_layer("logits"), "features": model.get_layer("features")}
    layers["embedding"] = model.get_layer("embedding")
    serving = Model(model.inputs[0], {name: layer.output for name, layer in layers.items()})

    @tf.function(input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="image")])
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = serving(image, training=False)
        return outputs

    graph, _ = tf2onnx.convert.from_function(serve, input_signature=serve.input_signature, opset=OPSET)
    serialised: bytes = graph.SerializeToString()
    return serialised


def linear_head(model: keras.Model) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Kernel and bias of the last layer where the embedding is the global average of the last feature map."""
    import keras

    if not isinstance(model.get_layer("embedding"), keras.layers.GlobalAveragePooling2D):
        return None
    kernel, bias = model.get_layer("logits").get_weights()
    return kernel, bias

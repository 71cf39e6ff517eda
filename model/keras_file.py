"""Opening a third party's Keras file without running anything that it holds."""

from __future__ import annotations

import inspect
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# Layers of Keras that run code from the file, or from another file or library that it names.
CODE = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
MODELS = ("Functional", "Sequential", "Model")
# What a configuration holds besides layers and their parts: tensors, shapes and values, all of them data.
DATA = ("__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__ellipsis__", "TensorShape", "slice")


class ForeignModelError(ValueError):
    """A third party's model cannot be brought; the message says why and what would work."""


def load_keras_file(path: Path) -> keras.Model:
    """The model in `path`, a .keras file or an .h5 file of the older format, loaded in Keras' safe mode, not compiled.

    Before Keras sees it, every part of it must be one of Keras' own layers and none of those that run code. Raises
    ForeignModelError, naming the layer, when that is not so or when Keras cannot load the file.
    """
    import keras

    _refuse_foreign_parts(_configuration(path), path.name, "")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    # A file from anywhere can make Keras, zipfile and HDF5 fail in any way.
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise ForeignModelError(
            f"Keras {keras.__version__} cannot load {path.name}: {reason[0] if reason else type(error).__name__} "
            "Save it again with model.save from the Keras that it was trained with."
        ) from error
    if not isinstance(model, keras.Model):
        raise ForeignModelError(f"{path.name} holds no model but a {type(model).__name__}. Save the whole model.")
    return model


def _configuration(path: Path) -> dict[str, Any]:
    """The architecture in `path` as JSON."""
    if path.is_dir():
        raise ForeignModelError(f"{path} is a folder. Save the model as one file: model.save('model.keras').")
    if not path.is_file():
        raise ForeignModelError(f"There is no file {path}.")
    kinds = {".keras": _zipped_configuration, ".h5": _hdf5_configuration, ".hdf5": _hdf5_configuration}
    if path.suffix.lower() not in kinds:
        raise ForeignModelError(
            f"{path.name} is neither a .keras nor an .h5 file. Save the model with model.save('model.keras')."
        )
    configuration = kinds[path.suffix.lower()](path)
    if not isinstance(configuration, dict):
        raise ForeignModelError(f"{path.name} holds no architecture. Save the whole model with model.save.")
    return configuration


def _zipped_configuration(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read("config.json")
        return json.loads(content)
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, EOFError, OSError) as error:
        raise ForeignModelError(
            f"{path.name} is damaged or no .keras file of Keras 3. Save the model again with model.save('model.keras')."
        ) from error


def _hdf5_configuration(path: Path) -> Any:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
    except OSError as error:
        raise ForeignModelError(
            f"{path.name} is damaged or no HDF5 file. Save the model again with model.save('model.h5')."
        ) from error
    if text is None:
        raise ForeignModelError(
            f"{path.name} holds weights without an architecture. Save the whole model with model.save('model.h5')."
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ForeignModelError(f"The architecture in {path.name} is damaged. Save the model again.") from error


def _refuse_foreign_parts(part: Any, file: str, layer: str) -> None:
    """Walk through a configuration; `layer` is the name of the layer that `part` belongs to."""
    if isinstance(part, list):
        for one in part:
            _refuse_foreign_parts(one, file, layer)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("config"), dict):
        layer = str(part["config"].get("name", layer))
    if "class_name" in part:
        _refuse_foreign(str(part["class_name"]), part, file, layer)
    for name, one in part.items():
        # Losses and metrics are not loaded.
        if name != "compile_config":
            _refuse_foreign_parts(one, file, layer)


def _refuse_foreign(class_name: str, part: dict[str, Any], file: str, layer: str) -> None:
    import keras

    if class_name in CODE:
        raise ForeignModelError(
            f"{file} holds code in its layer {layer!r} ({class_name}), which LesionLens never runs. Replace it by one "
            "of Keras' own layers, such as Rescaling, and save the model again."
        )
    module = part.get("module") or "keras"
    if class_name in DATA or class_name in MODELS:
        known = module.split(".")[0] in ("keras", "builtins")
    elif class_name == "function":
        known = isinstance(part.get("config"), str) and hasattr(keras.activations, part["config"])
    elif module == "keras" or not module.startswith("keras."):
        known = module == "keras" and _is_part(class_name)
    else:
        known = True  # a module inside of Keras; safe mode takes nothing but layers and their parts from there
    if not known:
        raise ForeignModelError(
            f"{file} needs {class_name!r} in its layer {layer!r}, which is none of Keras' own layers, and the code is "
            "not in the file. Rebuild the model from Keras' own layers, such as Rescaling for arithmetic on the image, "
            "give it the same weights, and save it as .keras."
        )


def _is_part(class_name: str) -> bool:
    """Whether Keras has a layer, or a part of one, of this name."""
    import keras

    kinds = (keras.layers, keras.initializers, keras.regularizers, keras.constraints, keras.dtype_policies)
    return any(inspect.isclass(getattr(kind, class_name, None)) for kind in kinds)

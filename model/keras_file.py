"""Opening a third party's Keras file without running anything that it holds."""

from __future__ import annotations

import inspect
import json
import shutil
import zipfile
from collections import deque
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# Layers of Keras that run code from the file, or from another file or library that it names.
CODE = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
MODELS = ("Functional", "Sequential", "Model")
# What a configuration holds besides layers and their parts: tensors, shapes and values, all of them data.
DATA = ("__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__ellipsis__", "TensorShape", "slice")
# The parts of a .keras file that are read, and how many bytes they may unpack to.
ARCHITECTURE = "config.json"
WEIGHTS = {"model.weights.h5", "model.weights.npz"}
LARGEST = {ARCHITECTURE: 64 << 20, **dict.fromkeys(WEIGHTS, 4 << 30)}


class ForeignModelError(ValueError):
    """A third party's model cannot be brought; the message says why and what would work."""


def load_keras_file(path: Path) -> keras.Model:
    """The model in `path`, a .keras file or an .h5 file of the older format, loaded in Keras' safe mode, not compiled.

    Before Keras sees it, every part of it must be one of Keras' own layers and none of those that run code; losses,
    metrics and optimizers, also those of models inside the model, are left out. Raises ForeignModelError, naming the
    layer, when that is not so or when Keras cannot load the file.
    """
    import keras

    if path.is_dir():
        raise ForeignModelError(f"{path} is a folder. Save the model as one file: model.save('model.keras').")
    if not path.is_file():
        raise ForeignModelError(f"There is no file {path}.")
    suffix = path.suffix.lower()
    if suffix not in (".keras", ".h5", ".hdf5"):
        raise ForeignModelError(
            f"{path.name} is neither a .keras nor an .h5 file. Save the model with model.save('model.keras')."
        )
    with TemporaryDirectory() as scratch:
        copy = Path(scratch) / f"model{suffix}"
        configuration = _copy_archive(path, copy) if suffix == ".keras" else _copy_hdf5(path, copy)
        if not isinstance(configuration, dict):
            raise ForeignModelError(f"{path.name} holds no architecture. Save the whole model with model.save.")
        _refuse_foreign_parts(configuration, path.name)
        try:
            model = keras.saving.load_model(copy, compile=False, safe_mode=True)
        # A file from anywhere can make Keras, zipfile and HDF5 fail in any way.
        except Exception as error:
            reason = [*str(error).replace(str(copy), path.name).strip().splitlines(), type(error).__name__][0]
            raise ForeignModelError(
                f"Keras {keras.__version__} cannot load {path.name}: {reason.rstrip('.')}. "
                "Save it again with model.save from the Keras that it was trained with."
            ) from error
    if not isinstance(model, keras.Model):
        raise ForeignModelError(f"{path.name} holds no model but a {type(model).__name__}. Save the whole model.")
    return model


def _copy_archive(path: Path, copy: Path) -> Any:
    """Copy architecture and weights of a .keras file without how its models were compiled; gives the architecture."""
    try:
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as cleaned:
            for name in LARGEST.keys() & set(archive.namelist()):
                if archive.getinfo(name).file_size > LARGEST[name]:
                    raise ForeignModelError(
                        f"{name} in {path.name} unpacks to more than {LARGEST[name] >> 20} MB. Save the model again "
                        "with model.save('model.keras'), or bring a smaller one."
                    )
            configuration = _uncompiled(archive.read(ARCHITECTURE))
            cleaned.writestr(ARCHITECTURE, json.dumps(configuration))
            for name in WEIGHTS & set(archive.namelist()):
                with archive.open(name) as source, cleaned.open(name, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target)
    except ForeignModelError:
        raise
    # A damaged or encrypted archive can make zipfile and its decompressors fail in any way.
    except Exception as error:
        raise ForeignModelError(
            f"{path.name} is damaged or no .keras file of Keras 3. Save the model again with model.save('model.keras')."
        ) from error
    return configuration


def _copy_hdf5(path: Path, copy: Path) -> Any:
    """Copy an .h5 file without how the models inside its model were compiled; gives the architecture."""
    import h5py

    try:
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            text = file.attrs.get("model_config")
            if text is None:
                raise ForeignModelError(
                    f"{path.name} holds weights without an architecture. Save the whole model with "
                    "model.save('model.h5')."
                )
            configuration = _uncompiled(text)
            file.attrs["model_config"] = json.dumps(configuration)
    except ForeignModelError:
        raise
    # A damaged file can make HDF5 fail in any way.
    except Exception as error:
        raise ForeignModelError(
            f"{path.name} is damaged or no HDF5 file of Keras. Save the model again with model.save('model.h5')."
        ) from error
    return configuration


def _uncompiled(text: str | bytes) -> Any:
    """The architecture in `text`, JSON, without the losses, metrics and optimizers that its models are compiled with.

    Keras would load those of a model inside a model, although nothing here needs them.
    """
    return json.loads(text, object_hook=lambda part: {name: part[name] for name in part if name != "compile_config"})


def _refuse_foreign_parts(configuration: dict[str, Any], file: str) -> None:
    # Not recursive, as a file decides how deep it is.
    parts: deque[tuple[Any, str]] = deque([(configuration, "")])
    while parts:
        part, layer = parts.popleft()
        if isinstance(part, list):
            parts.extend((one, layer) for one in part)
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("config"), dict):
            layer = str(part["config"].get("name", layer))
        if "class_name" in part:
            _refuse_foreign(str(part["class_name"]), part, file, layer)
        parts.extend((one, layer) for one in part.values())


def _refuse_foreign(class_name: str, part: dict[str, Any], file: str, layer: str) -> None:
    import keras

    if class_name in CODE:
        raise ForeignModelError(
            f"{file} holds code in its layer {layer!r} ({class_name}), which LesionLens never runs. Replace it by one "
            "of Keras' own layers, such as Rescaling, and save the model again."
        )
    module = part.get("module") or "keras"
    if not isinstance(module, str):
        raise ForeignModelError(
            f"{file} is damaged: the module of its layer {layer!r} is {module!r}, not a name. Save the model again."
        )
    if class_name in DATA or class_name in MODELS:
        known = module.split(".")[0] in ("keras", "builtins")
    elif class_name == "function":
        name = part.get("config")
        from_activations = part.get("module") in (None, "builtins", "keras.activations")
        known = from_activations and isinstance(name, str) and hasattr(keras.activations, name)
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

"""The manifest of an audit: what its parts hold and how they were made, so that no part of another joins them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.atomic import write_atomically
from model.bundle import ModelBundle
from model.machine import machine

MANIFEST_FILE = "audit.json"
# Stands between the names of machines.
SEVERAL = "; "
PACKAGES = ("lesionlens", "numpy", "onnxruntime", "pillow", "scikit-image", "scipy")
COLUMNS = {
    "image_id, lesion_id, diagnosis, confirmation, age, sex, site": "what is known of the case",
    "predicted": "the class it is called: the calibrated probability that is largest in proportion to the class prior",
    "logit_<class>": "float32, uncalibrated",
    "probability_<class>": "float32, calibrated",
    "entropy": "float32, nats, of the probabilities",
    "model": "name of the model that predicted the case",
    "seen": "whether that model has learnt the image, or another image of the lesion",
    "gradcam": "int8, signed Grad-CAM maps of all classes, flat in the order class, height, width; times gradcam_scale",
    "gradcam_scale": "float32, logits; a map is wrong by at most half of it",
    "embedding": "float16, along the principal components of the training cases that the model's novelty check keeps",
    "embedding_rest": "float32, what the components leave over of the normalised embedding: the novelty",
    "dark_corners, hair, ruler, colour_patches, ink": "float32, image quality: analysis/descriptors",
    "<method>_<measure>": "float32, explanation of the called class: analysis/trust.py",
    "<method>_milliseconds, <method>_evaluations": "float32, what the explanation took, with all that ran beside it",
    "agreement_<method>_<method>": "float32, rank correlation of two methods' superpixel means: analysis/agreement.py",
    "mask_estimated": "float32, 1 where the lesion's mask was not there and was estimated",
}


class AuditError(ValueError):
    """An audit cannot be made, resumed or read; the message says why and what would work."""


@dataclass(frozen=True)
class AuditedModel:
    """A model that predicts cases: its card's name, the SHA-256 of its weights and of all that decides what it says.

    The latter, `ModelBundle.digest`, is missing from audits of earlier versions.
    """

    name: str
    weights: str
    digest: str = ""


@dataclass(frozen=True)
class Manifest:
    """`models` predict data of `fingerprint` (`model.cases.fingerprint`), by `parameters`, in `parts` of `rows` in all.

    `classes` are in the models' order; `columns` says what the parts' columns mean. `versions` of packages began to
    write them, on `machine`, which the milliseconds are those of; where others went on, they are named, too.
    """

    models: tuple[AuditedModel, ...]
    classes: tuple[str, ...]
    fingerprint: str
    parameters: Mapping[str, Any]
    rows: int
    parts: int
    columns: Mapping[str, str]
    versions: Mapping[str, str]
    machine: str = ""


def manifest(
    bundles: Sequence[ModelBundle], fingerprint: str, parameters: Mapping[str, Any], rows: int, parts: int
) -> Manifest:
    """The manifest of an audit that is about to be made."""
    return Manifest(
        tuple(AuditedModel(bundle.card.name, bundle.weights_digest, bundle.digest) for bundle in bundles),
        bundles[0].card.classes,
        fingerprint,
        dict(parameters),
        rows,
        parts,
        COLUMNS,
        {name: version(name) for name in PACKAGES},
        machine(),
    )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the audit in `folder`; raises AuditError where there is none, or it is damaged."""
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise AuditError(f"There is no audit in {folder}: `lesionlens audit --data PATH --out {folder}` makes one.")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        models = tuple(AuditedModel(**one) for one in fields["models"])
        return Manifest(**{**fields, "models": models, "classes": tuple(fields["classes"])})
    except (KeyError, TypeError, ValueError) as error:
        raise AuditError(f"{path} is not the manifest of an audit: {error}") from error


def begin_or_resume(folder: Path, planned: Manifest) -> None:
    """Make `folder` the one of the planned audit, or find that it is already.

    What a killed writer left half done is removed. Raises AuditError where the folder holds another audit, saying in
    what it differs, or other files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove(folder.glob(f".{MANIFEST_FILE}.*.part"))
    if not (folder / MANIFEST_FILE).exists():
        if any(folder.iterdir()):
            raise AuditError(f"{folder} is not empty and holds no audit. Give another folder by --out.")
        _write(folder, planned)
        return
    there = read_manifest(folder)
    differences = _differences(there, planned)
    if differences:
        raise AuditError(
            f"{folder} holds another audit: {'; '.join(differences)}. Ask as it was asked, or give another folder by "
            "--out."
        )
    _remove(folder.glob(".part-*.parquet.*.part"))
    missing = len(list(folder.glob("part-*.parquet"))) < there.parts
    if missing and planned.machine not in there.machine.split(SEVERAL):
        _write(folder, replace(there, machine=SEVERAL.join([there.machine, planned.machine])))


def _write(folder: Path, written: Manifest) -> None:
    write_atomically(folder / MANIFEST_FILE, (json.dumps(asdict(written), indent=1) + "\n").encode())


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink()


def _differences(there: Manifest, here: Manifest) -> list[str]:
    """In what two audits differ that must not; the versions may."""
    found = []
    if there.models != here.models:
        names = [
            ", ".join(f"{one.name} ({one.digest[:8] or 'unknown'})" for one in each.models) for each in (there, here)
        ]
        found.append(f"model {names[0]} there, {names[1]} here")
    if there.fingerprint != here.fingerprint:
        found.append(f"data {there.fingerprint[:8]} there, {here.fingerprint[:8]} here")
    for name in sorted({*there.parameters, *here.parameters}):
        pair = (there.parameters.get(name), here.parameters.get(name))
        if pair[0] != pair[1]:
            found.append(f"{name} {_said(pair[0])} there, {_said(pair[1])} here")
    return found


def _said(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)

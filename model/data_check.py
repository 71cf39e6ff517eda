"""The health of a data set: what is in it, and every file or label that is not as it should be."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from model.cases import image_files, image_folders, read_cases
from model.classes import CODES
from model.images import ImageError, colour_mode, decode, read
from model.machine import usable_cores


@dataclass(frozen=True)
class Finding:
    """One thing found: its `kind`, the files it concerns (image_ids where there is no file), and a sentence.

    `damage` says that the data should not be used before it is mended; otherwise it is worth knowing only.
    """

    kind: str
    damage: bool
    files: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class DataReport:
    """What a data set holds, images and lesions by diagnosis (the known ones first), and what was found."""

    images: dict[str, int]
    lesions: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing that was found is damage."""
        return not any(finding.damage for finding in self.findings)


@dataclass(frozen=True)
class _Inspection:
    """What one readable file holds: Pillow's colour mode, and hashes of its bytes and of its pixels."""

    mode: str
    content: str
    pixels: str


def check_data(path: Path | str, on_progress: Callable[[int, int], None] | None = None) -> DataReport:
    """Check the data set at `path`, in any layout that model.cases reads, by decoding every image.

    `on_progress` gets the number of images done and of all. Damage is: an image that is missing, unreadable, listed
    twice, stored twice with different content or not stored in three channels; an unknown label; contradicting labels
    of one lesion; identical images that count as different lesions. Raises model.cases.DataError where `path` is no
    data set at all.
    """
    cases = read_cases(path)
    used = set(cases["path"].dropna())
    unused = [file for folder in image_folders(path) for file in image_files(folder) if str(file) not in used]
    inspections = _inspect_all(cases["path"].dropna().unique().tolist(), on_progress)
    damage = [
        *_missing(cases),
        *_unreadable(inspections),
        *_not_three_channels(inspections),
        *_listed_twice(cases),
        *_unknown_labels(cases),
        *_contradicting_labels(cases),
    ]
    either = [*_stored_twice(cases, unused), *_identical(cases, inspections)]
    notes = [*_unknown_ages(cases), *_missing_masks(cases), *_absent_classes(cases), *_unlisted(cases, unused)]
    findings = [*damage, *either, *notes]
    findings.sort(key=lambda finding: not finding.damage)
    return DataReport(_counts(cases), _counts(cases.drop_duplicates(["lesion_id", "diagnosis"])), tuple(findings))


def _inspect_all(
    paths: list[str], on_progress: Callable[[int, int], None] | None
) -> dict[str, _Inspection | ImageError]:
    inspections = {}
    with ThreadPoolExecutor(usable_cores()) as threads:
        for done, (path, inspection) in enumerate(zip(paths, threads.map(_inspect, paths), strict=True), start=1):
            inspections[path] = inspection
            if on_progress:
                on_progress(done, len(paths))
    return inspections


def _inspect(path: str) -> _Inspection | ImageError:
    try:
        content = read(Path(path))
        pixels = decode(content)
        mode = colour_mode(content)
    except ImageError as error:
        return error
    return _Inspection(mode, _hash(content), _hash(repr(pixels.shape).encode() + pixels.tobytes()))


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _counts(cases: pd.DataFrame) -> dict[str, int]:
    counted = {str(label): int(count) for label, count in cases["diagnosis"].value_counts().items()}
    return {code: counted.get(code, 0) for code in [*CODES, *sorted(counted.keys() - set(CODES))]}


def _files(cases: pd.DataFrame) -> tuple[str, ...]:
    return tuple(cases["path"].fillna(cases["image_id"]))


def _missing(cases: pd.DataFrame) -> Iterator[Finding]:
    for image_id in cases.loc[cases["path"].isna(), "image_id"]:
        yield Finding("missing image", True, (image_id,), "There is no image file of this name.")


def _unreadable(inspections: dict[str, _Inspection | ImageError]) -> Iterator[Finding]:
    for path, inspection in inspections.items():
        if isinstance(inspection, ImageError):
            yield Finding("unreadable image", True, (path,), str(inspection))


def _not_three_channels(inspections: dict[str, _Inspection | ImageError]) -> Iterator[Finding]:
    for path, inspection in inspections.items():
        if isinstance(inspection, _Inspection) and inspection.mode not in ("RGB", "YCbCr"):
            message = f"The pixels are stored as {inspection.mode}, not as three colour channels."
            yield Finding("not three channels", True, (path,), message)


def _listed_twice(cases: pd.DataFrame) -> Iterator[Finding]:
    for image_id, rows in cases[cases["image_id"].duplicated(keep=False)].groupby("image_id"):
        message = f"{image_id} is listed {len(rows)} times."
        yield Finding("listed twice", True, tuple(dict.fromkeys(_files(rows))), message)


def _stored_twice(cases: pd.DataFrame, unused: list[Path]) -> Iterator[Finding]:
    """A second file of an image that is taken from a first one: which of them is meant is anybody's guess."""
    taken = cases.dropna(subset="path").groupby("image_id")["path"].first()
    for file in unused:
        if file.stem in taken.index:
            first = taken[file.stem]
            same = file.read_bytes() == Path(first).read_bytes()
            alike = "the same byte for byte" if same else "with different content"
            message = f"{file.stem} is stored twice, {alike}; the first file is taken."
            yield Finding("stored twice", not same, (first, str(file)), message)


def _unlisted(cases: pd.DataFrame, unused: list[Path]) -> Iterator[Finding]:
    known = set(cases["image_id"])
    files = tuple(str(file) for file in unused if file.stem not in known)
    if files:
        images = "image file is" if len(files) == 1 else "image files are"
        yield Finding("unlisted image", False, files, f"{len(files):,} {images} not in the metadata, so never used.")


def _unknown_labels(cases: pd.DataFrame) -> Iterator[Finding]:
    for label, rows in cases[~cases["diagnosis"].isin(CODES)].groupby("diagnosis", dropna=False):
        named = "There is no label" if pd.isna(label) else f"The label {label!r} is unknown"
        yield Finding("unknown label", True, _files(rows), f"{named}; known are {', '.join(CODES)}.")


def _contradicting_labels(cases: pd.DataFrame) -> Iterator[Finding]:
    labels = cases.groupby("lesion_id")["diagnosis"].transform("nunique")
    for lesion_id, rows in cases[labels > 1].groupby("lesion_id"):
        called = " and ".join(sorted(rows["diagnosis"].dropna().unique()))
        yield Finding("contradicting labels", True, _files(rows), f"Lesion {lesion_id} is called {called}.")


def _identical(cases: pd.DataFrame, inspections: dict[str, _Inspection | ImageError]) -> Iterator[Finding]:
    """Identical images leak from training to test where they count as different lesions, and only there."""
    same: dict[str, list[str]] = {}
    for path, inspection in inspections.items():
        if isinstance(inspection, _Inspection):
            same.setdefault(inspection.pixels, []).append(path)
    lesions = cases.dropna(subset="path").groupby("path")["lesion_id"].first()
    for paths in same.values():
        if len(paths) == 1:
            continue
        contents = {inspection.content for path in paths if isinstance(inspection := inspections[path], _Inspection)}
        alike = "byte for byte" if len(contents) == 1 else "in every pixel"
        different_lesions = lesions[paths].nunique() > 1
        of_what = "of different lesions" if different_lesions else f"of lesion {lesions[paths[0]]}"
        message = f"{len(paths)} images {of_what} are identical {alike}."
        yield Finding("identical images", different_lesions, tuple(paths), message)


def _unknown_ages(cases: pd.DataFrame) -> Iterator[Finding]:
    ageless = cases[cases["age"].isna()]
    if len(ageless):
        yield Finding("unknown age", False, _files(ageless), f"{len(ageless)} of {len(cases)} cases have no age.")


def _missing_masks(cases: pd.DataFrame) -> Iterator[Finding]:
    maskless = cases[cases["mask_path"].isna()]
    if len(maskless):
        message = f"{len(maskless)} of {len(cases)} cases have no lesion mask."
        yield Finding("missing mask", False, _files(maskless), message)


def _absent_classes(cases: pd.DataFrame) -> Iterator[Finding]:
    absent = [code for code in CODES if not (cases["diagnosis"] == code).any()]
    if absent:
        yield Finding("absent class", False, (), f"No case of {', '.join(absent)}.")

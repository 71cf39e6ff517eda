"""A data set as one table of cases, read from any of three layouts.

The table has the columns of `COLUMNS`, one row per image: image_id, lesion_id, diagnosis (a class code), confirmation
(histo, follow_up, consensus, confocal, or missing), age (float, years, NaN where unknown), sex and site (`unknown`
where unknown), path and mask_path (absolute paths as strings, missing where there is no such file).
"""

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

from model.classes import CODES

COLUMNS = ("image_id", "lesion_id", "diagnosis", "confirmation", "age", "sex", "site", "path", "mask_path")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
HAM10000_METADATA = "HAM10000_metadata.csv"
# The Dataverse calls the file without its suffix.
HAM10000_METADATA_NAMES = (HAM10000_METADATA, "HAM10000_metadata")


class DataError(ValueError):
    """A data set cannot be used as it is; the message says what is wrong and what would work."""


def load_cases(path: Path | str, codes: Collection[str] = CODES) -> pd.DataFrame:
    """The table of cases of the data set at `path`, its diagnoses spelled as in `codes`, in whatever case they stand.

    Raises DataError when an image is missing or listed twice, or a diagnosis is none of `codes`.
    """
    cases = read_cases(path)
    spelled = {code.lower(): code for code in codes}
    cases["diagnosis"] = [spelled.get(str(label).lower(), label) for label in cases["diagnosis"]]
    unknown = sorted({str(label) for label in cases["diagnosis"]} - set(codes))
    if unknown:
        raise DataError(f"{path} has unknown diagnoses {unknown}; known are {list(codes)}.")
    missing = cases.loc[cases["path"].isna(), "image_id"]
    if len(missing):
        raise DataError(
            f"{len(missing)} images of {path} are missing, {missing.iloc[0]} first; "
            f"`lesionlens data check {path}` names them all."
        )
    repeated = cases.loc[cases["image_id"].duplicated(), "image_id"]
    if len(repeated):
        raise DataError(
            f"{path} lists {len(repeated)} images twice, {repeated.iloc[0]} first; "
            f"`lesionlens data check {path}` names them all."
        )
    return cases


def read_cases(path: Path | str) -> pd.DataFrame:
    """The table of cases as the files have it: unknown labels stay, a missing image has no path.

    `path` is a folder in the HAM10000 layout (metadata CSV and image folders), a folder with one folder per class,
    or the one-hot ground truth CSV of an ISIC challenge (or its folder). Raises DataError for anything else.
    """
    root = Path(path)
    if root.is_file():
        return _read_isic(root)
    if not root.is_dir():
        raise DataError(f"{root} does not exist.")
    for name in HAM10000_METADATA_NAMES:
        if (root / name).is_file():
            return _read_ham10000(root, root / name)
    truths = sorted(root.glob("*GroundTruth.csv"))
    if len(truths) == 1:
        return _read_isic(truths[0])
    if truths:
        raise DataError(f"{root} holds several ground truth files; give one of them: {[t.name for t in truths]}.")
    return _read_class_folders(root)


def image_folders(path: Path | str) -> list[Path]:
    """The folders in which `read_cases` looks for the images of the data set at `path`, in its order."""
    root = Path(path)
    if root.is_file():
        return [_isic_folder(root)]
    if any((root / name).is_file() for name in HAM10000_METADATA_NAMES):
        return _ham10000_folders(root)
    truths = sorted(root.glob("*GroundTruth.csv"))
    return [_isic_folder(truths[0])] if truths else _class_folders(root)


def read_metadata(csv: Path | str) -> pd.DataFrame:
    """The cases of a HAM10000 metadata CSV without their images (path and mask_path missing)."""
    table = _read_csv(csv)
    needed = ["image_id", "lesion_id", "dx"]
    if absent := [name for name in needed if name not in table]:
        raise DataError(f"{csv} has no column {', '.join(absent)}; the HAM10000 metadata has {', '.join(needed)}.")
    renamed = table.rename(columns={"dx": "diagnosis", "dx_type": "confirmation", "localization": "site"})
    return _completed(renamed)


def fingerprint(cases: pd.DataFrame) -> str:
    """A SHA-256 over image_id, lesion_id and diagnosis of all cases, whatever their order."""
    rows = cases[["image_id", "lesion_id", "diagnosis"]].sort_values("image_id")
    return hashlib.sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def find_images(folders: Iterable[Path]) -> dict[str, Path]:
    """Image files by their name without suffix; the first folder wins."""
    found: dict[str, Path] = {}
    for folder in folders:
        for file in image_files(folder):
            found.setdefault(file.stem, file)
    return found


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder, by name."""
    return [file.resolve() for file in sorted(folder.iterdir()) if file.suffix.lower() in IMAGE_SUFFIXES]


def _read_csv(csv: Path | str) -> pd.DataFrame:
    names = dict.fromkeys(("image_id", "lesion_id", "image"), "str")
    try:
        table = pd.read_csv(csv, dtype=names)
    except (OSError, ValueError) as error:
        raise DataError(f"{csv} cannot be read as CSV: {error}") from error
    if table.empty:
        raise DataError(f"{csv} lists no cases.")
    return table


def _read_ham10000(root: Path, metadata: Path) -> pd.DataFrame:
    cases = read_metadata(metadata)
    masks = find_images(f for f in sorted(root.iterdir()) if f.is_dir() and _holds_masks(f))
    cases["path"] = _paths(cases["image_id"], find_images(_ham10000_folders(root)))
    cases["mask_path"] = _paths(cases["image_id"] + "_segmentation", masks)
    return cases


def _ham10000_folders(root: Path) -> list[Path]:
    folders = [f for f in sorted(root.iterdir()) if f.is_dir() and not _holds_masks(f)]
    return [f for f in folders if f.name.startswith("HAM10000_images")] or [root, *folders]


def _holds_masks(folder: Path) -> bool:
    return "segmentation" in folder.name.lower()


def _read_isic(truth: Path) -> pd.DataFrame:
    table = _read_csv(truth)
    columns = [name for name in table.columns if name != "image"]
    if "image" not in table or not columns:
        raise DataError(f"{truth} is not an ISIC ground truth: it needs a column `image` and one column per class.")
    one_hot = table[columns]
    if not (one_hot.isin([0, 1]).all(axis=None) and (one_hot.sum(axis=1) == 1).all()):
        raise DataError(f"{truth} is not one-hot: every row needs exactly one 1 among {columns}.")
    cases = pd.DataFrame({"image_id": table["image"], "diagnosis": one_hot.idxmax(axis=1).astype("str").str.lower()})
    cases["path"] = _paths(cases["image_id"], find_images([_isic_folder(truth)]))
    return _completed(cases)


def _isic_folder(truth: Path) -> Path:
    folder = truth.with_name(truth.name.replace("_GroundTruth.csv", "_Input"))
    return folder if folder.is_dir() else truth.parent


def _class_folders(root: Path) -> list[Path]:
    return [f for f in sorted(root.iterdir()) if f.is_dir() and not f.name.startswith(".")]


def _read_class_folders(root: Path) -> pd.DataFrame:
    rows = [
        {"image_id": stem, "diagnosis": folder.name.lower(), "path": str(file)}
        for folder in _class_folders(root)
        for stem, file in find_images([folder]).items()
    ]
    if not rows:
        raise DataError(
            f"{root} is no data set that LesionLens knows: it has neither {HAM10000_METADATA}, nor an ISIC "
            f"…GroundTruth.csv, nor a folder of images per class ({', '.join(CODES)})."
        )
    cases = pd.DataFrame(rows)
    # Folders that were numbered each for itself hold different images of one name.
    repeated = cases["image_id"].duplicated(keep=False)
    cases.loc[repeated, "image_id"] = cases["diagnosis"] + "_" + cases["image_id"]
    return _completed(cases)


def _paths(image_ids: pd.Series, files: dict[str, Path]) -> pd.Series:
    return image_ids.map({name: str(file) for name, file in files.items()}).astype("str")


def _completed(cases: pd.DataFrame) -> pd.DataFrame:
    if "lesion_id" not in cases:
        cases = cases.assign(lesion_id=cases["image_id"])
    cases = cases.reindex(columns=list(COLUMNS))
    cases["age"] = pd.to_numeric(cases["age"], errors="coerce").astype("float64")
    texts = {column: "str" for column in COLUMNS if column != "age"}
    cases = cases.astype(texts)
    cases[["sex", "site"]] = cases[["sex", "site"]].fillna("unknown")
    cases["lesion_id"] = cases["lesion_id"].fillna(cases["image_id"])
    return cases[list(COLUMNS)]

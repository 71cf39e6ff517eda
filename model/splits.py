"""Splits of a data set into training, validation and test parts, by named protocol."""

import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FOLDS = 5
VALIDATION_PARTS = 8
OVERSAMPLED_SEED = 42
# Fewer rows of a class leave none of it for the test part.
SMALLEST_OVERSAMPLED = 7
PROTOCOLS = {
    "lesion": "Five stratified folds grouped by lesion: no lesion is in two parts.",
    "image": "LEAKY: five stratified folds by image: lesions with several images are in two parts.",
    "oversampled": "LEAKY: classes oversampled with replacement before the split: copies are in two parts.",
}
LEAKY = ("image", "oversampled")


@dataclass(frozen=True, eq=False)
class Split:
    """Row positions of the table of cases in each part; `oversampled` repeats positions."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def split(cases: pd.DataFrame, protocol: str = "lesion", fold: int = 0, seed: int = 0) -> Split:
    """Split `cases` (columns image_id, lesion_id, diagnosis); the same cases, protocol, fold and seed split alike.

    `lesion` and `image` test on one of five folds, validate on an eighth of the rest and train on the others, about
    70/10/20; the order of the rows does not matter. `oversampled` reproduces the leaky split of the project that
    LesionLens grows out of: it has one fold, a fixed seed, and depends on the order of the rows.
    Raises ValueError for an unknown protocol or fold.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"Unknown protocol {protocol!r}; known are {', '.join(PROTOCOLS)}.")
    folds = 1 if protocol == "oversampled" else FOLDS
    if not 0 <= fold < folds:
        raise ValueError(f"Protocol {protocol} has folds 0 to {folds - 1}, not {fold}.")
    if protocol == "oversampled":
        return _oversampled(cases)
    order = np.argsort(cases["image_id"].to_numpy(dtype=str), kind="stable")
    ordered = cases.iloc[order]
    groups = lesion_groups(ordered) if protocol == "lesion" else None
    others, test = _stratified_fold(ordered, groups, np.arange(len(cases)), FOLDS, fold, seed)
    train, validation = _stratified_fold(ordered, groups, others, VALIDATION_PARTS, 0, seed)
    return Split(np.sort(order[train]), np.sort(order[validation]), np.sort(order[test]))


def with_merged_lesions(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases, those of lesions that are known to be one under two names with one lesion_id."""
    return cases.assign(lesion_id=cases.groupby(lesion_groups(cases))["lesion_id"].transform("first"))


def lesion_groups(cases: pd.DataFrame) -> NDArray[np.intp]:
    """A group number for each case: one per lesion, with the missed duplicates' lesions merged.

    The 18 pairs of images that show one lesion under two lesion_ids are those of Abhishek et al. 2025
    (doi:10.1038/s41597-025-04382-5).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    lesions, names = pd.factorize(cases["lesion_id"])
    lesion_of = pd.Series(lesions, index=cases["image_id"].to_numpy())
    known = [pair for pair in missed_duplicates() if pair[0] in lesion_of.index and pair[1] in lesion_of.index]
    first = lesion_of.loc[[a for a, _ in known]].to_numpy()
    second = lesion_of.loc[[b for _, b in known]].to_numpy()
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(names), len(names)))
    merged = connected_components(links, directed=False)[1]
    groups: NDArray[np.intp] = merged[lesions].astype(np.intp)
    return groups


@cache
def missed_duplicates() -> tuple[tuple[str, str], ...]:
    """Pairs of image_ids of HAM10000 that show one lesion although their lesion_ids differ."""
    with files("model").joinpath("missed_duplicates.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    return tuple(zip(table["image_id_a"], table["image_id_b"], strict=True))


def _stratified_fold(
    cases: pd.DataFrame, groups: NDArray[np.intp] | None, rows: NDArray[np.intp], parts: int, part: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    diagnosis = cases["diagnosis"].to_numpy(dtype=str)[rows]
    if len(rows) == 0 or np.unique(diagnosis, return_counts=True)[1].max() < parts:
        raise ValueError(f"Too few cases to split: {parts} parts need a diagnosis with at least {parts} cases.")
    dealt = _dealt(tuple(diagnosis), None if groups is None else tuple(groups[rows]), parts, seed)
    return rows[dealt != part], rows[dealt == part]


@lru_cache(maxsize=2)  # the folds of one data set begin alike, and dealing takes seconds
def _dealt(diagnosis: tuple[str, ...], groups: tuple[int, ...] | None, parts: int, seed: int) -> NDArray[np.intp]:
    """Which of the parts each case is in."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = kind(parts, shuffle=True, random_state=seed)
    dealt = np.empty(len(diagnosis), np.intp)
    with warnings.catch_warnings():
        # A class with fewer cases than parts is in some parts only; that is no news to whoever tries out a few cases.
        warnings.filterwarnings("ignore", message="The least populated class")
        for part, (_, chosen) in enumerate(folds.split(diagnosis, diagnosis, groups)):
            dealt[chosen] = part
    return dealt


def _oversampled(cases: pd.DataFrame) -> Split:
    from sklearn.model_selection import train_test_split
    from sklearn.utils import resample

    diagnosis = cases["diagnosis"].to_numpy(dtype=str)
    largest = int(cases["diagnosis"].value_counts().max())
    if largest < SMALLEST_OVERSAMPLED:
        raise ValueError(f"Too few cases to split: a diagnosis with at least {SMALLEST_OVERSAMPLED} cases is needed.")
    rows = np.concatenate(
        [
            resample(np.flatnonzero(diagnosis == code), n_samples=largest, random_state=OVERSAMPLED_SEED)
            for code in pd.unique(cases["diagnosis"])
        ]
    )
    rest, test = train_test_split(rows, test_size=0.15, stratify=diagnosis[rows], random_state=OVERSAMPLED_SEED)
    train, validation = train_test_split(rest, test_size=0.176, stratify=diagnosis[rest], random_state=OVERSAMPLED_SEED)
    return Split(train, validation, test)

"""Which cases are meant: a selection by what is known and by what the model said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.artefacts import shows
from analysis.predictions import margin


@dataclass(frozen=True)
class MarginRange:
    """Cases whose margin logit(code) - logit(against) is at least `low` and below `high`."""

    code: str
    against: str
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Selection:
    """Cases that pass every condition; an empty tuple or None asks for nothing.

    `confidence` is a closed range in [0, 1], `age` a closed range in years that passes no case of unknown age. `search`
    is part of an image_id or lesion_id, in either case. `artefacts` are all to be seen on the image and `no_artefacts`
    are not; they need a table with descriptors of image quality.
    """

    diagnosis: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    correct: bool | None = None
    confirmation: tuple[str, ...] = ()
    sex: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    confidence: tuple[float, float] | None = None
    age: tuple[float, float] | None = None
    search: str = ""
    margin: MarginRange | None = None
    artefacts: tuple[str, ...] = ()
    no_artefacts: tuple[str, ...] = ()


def select(table: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """The rows of a table of predictions that `selection` means, in their order."""
    keep = np.ones(len(table), bool)
    for column, values in _categories(selection).items():
        if values:
            keep &= table[column].isin(values).to_numpy(bool)
    for column, bounds in (("confidence", selection.confidence), ("age", selection.age)):
        if bounds is not None:
            keep &= table[column].between(*bounds).to_numpy(bool)
    if selection.correct is not None:
        keep &= (table["correct"] == selection.correct).to_numpy(bool)
    if selection.search:
        keep &= _mentions(table, selection.search)
    if selection.margin is not None:
        margins = margin(table, selection.margin.code, selection.margin.against)
        keep &= (margins >= selection.margin.low) & (margins < selection.margin.high)
    for name in selection.artefacts:
        keep &= shows(table, name)
    for name in selection.no_artefacts:
        keep &= ~shows(table, name)
    return table[keep]


def _categories(selection: Selection) -> dict[str, Sequence[str]]:
    return {
        "diagnosis": selection.diagnosis,
        "predicted": selection.predicted,
        "confirmation": selection.confirmation,
        "sex": selection.sex,
        "site": selection.site,
    }


def _mentions(table: pd.DataFrame, text: str) -> NDArray[np.bool_]:
    identifiers = table["image_id"].astype(str) + " " + table["lesion_id"].astype(str)
    return identifiers.str.contains(text, case=False, regex=False).to_numpy(bool)

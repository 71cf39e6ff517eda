"""Overlap of a split: how much of the test part the training part has already seen."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from analysis.predictions import read_committed
from model.splits import FOLDS, PROTOCOLS, split

OVERLAP_FILE = "leakage_overlap.parquet"
TOTAL = "total"


def seen_in_training(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Of every test row its `diagnosis`, and whether its `image` and its `lesion` (bool) are also in training.

    Both tables have columns image_id, lesion_id and diagnosis.
    """
    return pd.DataFrame(
        {
            "diagnosis": test["diagnosis"],
            "image": test["image_id"].isin(set(train["image_id"])),
            "lesion": test["lesion_id"].isin(set(train["lesion_id"])),
        }
    )


def shares_seen(seen: pd.DataFrame) -> pd.DataFrame:
    """Shares of the rows of `seen_in_training` that training has seen, in total and by class.

    The result has one row `total` and one per diagnosis of the test rows, in alphabetical order, with columns `rows`
    (int), `image` and `lesion` (float, shares in [0, 1]).
    """
    named = pd.concat([seen.assign(diagnosis=TOTAL), seen])
    shares = named.groupby("diagnosis").agg(rows=("image", "size"), image=("image", "mean"), lesion=("lesion", "mean"))
    return shares.loc[[TOTAL, *sorted(seen["diagnosis"].unique())]]


def overlap(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Shares of test rows whose image, or whose lesion, is also in training, as `shares_seen` gives them."""
    return shares_seen(seen_in_training(train, test))


def overlap_table(cases: pd.DataFrame, protocols: Iterable[str] = PROTOCOLS, fold: int | None = None) -> pd.DataFrame:
    """Shares of test rows that the training part has seen, by protocol, fold and diagnosis.

    Columns: `protocol`, `fold` (Int64; missing in the rows for all folds together), `diagnosis` (`total` first),
    `rows` (int), `image` and `lesion` (float, shares in [0, 1]). With `fold` the table has that fold alone.
    Raises ValueError where a protocol has no such fold.
    """
    tables = []
    for protocol in protocols:
        folds = [fold] if fold is not None else range(1 if protocol == "oversampled" else FOLDS)
        made = [split(cases, protocol, number) for number in folds]
        seen = [seen_in_training(cases.iloc[parts.train], cases.iloc[parts.test]) for parts in made]
        if fold is None:
            tables.append(_named(shares_seen(pd.concat(seen)), protocol, None))
        tables += [_named(shares_seen(one), protocol, number) for number, one in zip(folds, seen, strict=True)]
    return pd.concat(tables, ignore_index=True)


def of_all_folds(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of an overlap table that count all its folds together, or the one fold that it has."""
    together = table[table["fold"].isna()]
    return table if together.empty else together


def has_lesions(cases: pd.DataFrame) -> bool:
    """Whether the data set says which images show one lesion; without that only copies of an image can be seen."""
    return bool((cases["lesion_id"] != cases["image_id"]).any())


def read_overlap(folder: Path) -> pd.DataFrame:
    """The overlap table in `folder`; raises PredictionsError where there is none."""
    return read_committed(folder / OVERLAP_FILE, "lesionlens leakage --data PATH --save")


def _named(shares: pd.DataFrame, protocol: str, fold: int | None) -> pd.DataFrame:
    table = shares.reset_index()
    folds = pd.Series([fold] * len(table), dtype="Int64")
    return table.assign(protocol=protocol, fold=folds)[["protocol", "fold", "diagnosis", "rows", "image", "lesion"]]

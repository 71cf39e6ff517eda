"""Overlap counts what training has already seen."""

import pandas as pd

from analysis.overlap import overlap


def rows(*cases: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(cases, columns=["image_id", "lesion_id", "diagnosis"])


def test_shares_in_total_and_by_class() -> None:
    train = rows(("i1", "l1", "mel"), ("i2", "l2", "nv"))
    test = rows(("i1", "l1", "mel"), ("i1", "l1", "mel"), ("i3", "l1", "mel"), ("i4", "l4", "mel"), ("i5", "l2", "nv"))
    shares = overlap(train, test)
    assert list(shares.index) == ["total", "mel", "nv"]
    assert list(shares["rows"]) == [5, 4, 1]
    assert list(shares["image"]) == [2 / 5, 2 / 4, 0]
    assert list(shares["lesion"]) == [4 / 5, 3 / 4, 1]


def test_parts_that_share_nothing() -> None:
    shares = overlap(rows(("i1", "l1", "mel")), rows(("i2", "l2", "nv")))
    assert shares["image"].max() == 0
    assert shares["lesion"].max() == 0

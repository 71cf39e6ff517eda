"""Overlap counts what training has already seen."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.overlap import has_lesions, of_all_folds, overlap, overlap_table, read_overlap
from analysis.predictions import COMMITTED
from model.cases import read_cases


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


def made_up_cases(lesions: int = 120) -> pd.DataFrame:
    """Two images of each lesion, every fourth lesion a melanoma."""
    return rows(
        *[
            (f"image_{number:03d}", f"lesion_{number // 2:03d}", "nv" if number // 2 % 4 else "mel")
            for number in range(2 * lesions)
        ]
    )


def test_the_table_has_every_fold_and_all_together() -> None:
    table = overlap_table(made_up_cases())
    assert list(pd.unique(table["protocol"])) == ["lesion", "image", "oversampled"]
    together = table[table["fold"].isna()].set_index(["protocol", "diagnosis"])
    assert together.loc[("image", "total"), "rows"] == 240
    assert together.loc[("lesion", "total"), "lesion"] == 0
    assert together.loc[("image", "total"), "image"] == 0
    assert together.loc[("image", "total"), "lesion"] > 0.5
    assert together.loc[("oversampled", "mel"), "image"] > 0.5
    image = table[(table["protocol"] == "image") & (table["diagnosis"] == "total")].dropna(subset="fold")
    assert list(image["fold"]) == [0, 1, 2, 3, 4]
    assert (image["rows"] * image["lesion"]).sum() == pytest.approx(240 * together.loc[("image", "total"), "lesion"])


def test_the_table_of_one_fold() -> None:
    table = overlap_table(made_up_cases(), ["image"], 3)
    assert list(table["fold"]) == [3, 3, 3]
    assert list(of_all_folds(table)["diagnosis"]) == ["total", "mel", "nv"]


def test_ham10000_oversampled_is_93_percent_copies(ham10000: Path) -> None:
    table = overlap_table(read_cases(ham10000), ["oversampled"]).set_index(["fold", "diagnosis"])
    shares = table.loc[0]
    assert shares.loc["total", "rows"] == 7041
    assert round(shares.loc["total", "image"], 3) == 0.930
    assert round(shares.loc["total", "lesion"], 3) == 0.947
    assert (shares.loc[["akiec", "bcc", "df", "vasc"], ["image", "lesion"]] == 1).all(axis=None)
    assert round(shares.loc["nv", "image"], 2) == 0.54


def test_the_committed_table_is_that_of_ham10000(ham10000: Path) -> None:
    committed = read_overlap(COMMITTED)
    shown = committed[committed["protocol"] == "oversampled"].reset_index(drop=True)
    pd.testing.assert_frame_equal(shown, overlap_table(read_cases(ham10000), ["oversampled"]), check_dtype=False)


def test_lesions_are_known_where_one_has_another_name_than_its_image() -> None:
    assert has_lesions(made_up_cases())
    assert not has_lesions(rows(("i1", "i1", "mel"), ("i2", "i2", "nv")))

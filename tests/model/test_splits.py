from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.overlap import overlap
from model.cases import read_metadata
from model.splits import FOLDS, PROTOCOLS, Split, lesion_groups, missed_duplicates, split


@pytest.fixture(scope="module")
def cases(ham10000: Path) -> pd.DataFrame:
    return read_metadata(ham10000 / "HAM10000_metadata.csv")


@pytest.fixture(scope="module")
def lesion_folds(cases: pd.DataFrame) -> list[Split]:
    return [split(cases, "lesion", fold) for fold in range(FOLDS)]


def parts(made: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return made.train, made.validation, made.test


def shared(first: pd.Series, second: pd.Series) -> set[str]:
    return set(first) & set(second)


def made_up_cases(lesions: int = 300, seed: int = 0) -> pd.DataFrame:
    """Lesions of one to three images, two diagnoses."""
    rng = np.random.default_rng(seed)
    lesion = np.repeat(np.arange(lesions), rng.integers(1, 4, lesions))
    return pd.DataFrame(
        {
            "image_id": [f"image_{number}" for number in range(len(lesion))],
            "lesion_id": [f"lesion_{number}" for number in lesion],
            "diagnosis": np.where(lesion % 5 == 0, "mel", "nv"),
        }
    )


@pytest.mark.parametrize("protocol", ["lesion", "image"])
@pytest.mark.parametrize("fold", range(FOLDS))
def test_the_parts_of_a_fold_cover_every_case_once(protocol: str, fold: int) -> None:
    cases = made_up_cases()
    everything = np.concatenate(parts(split(cases, protocol, fold)))
    assert np.array_equal(np.sort(everything), np.arange(len(cases)))


@pytest.mark.parametrize("protocol", ["lesion", "image"])
def test_the_five_test_parts_cover_every_case_once(protocol: str) -> None:
    cases = made_up_cases()
    tested = np.concatenate([split(cases, protocol, fold).test for fold in range(FOLDS)])
    assert np.array_equal(np.sort(tested), np.arange(len(cases)))


@pytest.mark.parametrize("fold", range(FOLDS))
def test_lesion_shares_no_lesion_between_parts(fold: int) -> None:
    cases = made_up_cases()
    train, validation, test = (cases["lesion_id"].iloc[part] for part in parts(split(cases, "lesion", fold)))
    assert not shared(train, test)
    assert not shared(train, validation)
    assert not shared(validation, test)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_split_is_a_function_of_its_arguments(protocol: str) -> None:
    first, second = (parts(split(made_up_cases(), protocol)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)


def test_another_seed_splits_otherwise() -> None:
    cases = made_up_cases()
    assert not np.array_equal(split(cases, seed=0).test, split(cases, seed=1).test)


def test_the_missed_duplicates_are_18_pairs_and_merge_their_lesions() -> None:
    pairs = missed_duplicates()
    assert len(pairs) == len(set(pairs)) == 18
    first, second = pairs[0]
    cases = pd.DataFrame(
        {
            "image_id": ["x", first, second, "y", "z"],
            "lesion_id": ["one", "one", "two", "two", "three"],
            "diagnosis": ["nv"] * 5,
        }
    )
    assert lesion_groups(cases).tolist() == [0, 0, 0, 0, 1]
    assert lesion_groups(cases.iloc[[0, 1, 3, 4]]).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(("protocol", "fold"), [("lesion", 5), ("lesion", -1), ("image", 5), ("oversampled", 1)])
def test_a_fold_that_does_not_exist(protocol: str, fold: int) -> None:
    with pytest.raises(ValueError, match=f"Protocol {protocol} has folds 0 to"):
        split(made_up_cases(), protocol, fold)


def test_an_unknown_protocol_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="lesion, image, oversampled"):
        split(made_up_cases(), "random")


def test_leaky_protocols_are_labelled_as_leaky() -> None:
    assert {name for name, description in PROTOCOLS.items() if "LEAKY" in description} == {"image", "oversampled"}


@pytest.mark.parametrize("fold", range(FOLDS))
def test_lesion_on_ham10000_keeps_lesions_and_missed_duplicates_together(
    cases: pd.DataFrame, lesion_folds: list[Split], fold: int
) -> None:
    train, validation, test = (cases.iloc[part] for part in parts(lesion_folds[fold]))
    for one, other in ((train, test), (train, validation), (validation, test)):
        assert not shared(one["lesion_id"], other["lesion_id"])
        assert not [
            pair
            for pair in missed_duplicates()
            if set(pair) & set(one["image_id"]) and set(pair) & set(other["image_id"])
        ]
    assert [len(part) / len(cases) for part in (train, validation, test)] == pytest.approx([0.7, 0.1, 0.2], abs=0.01)
    whole = cases["diagnosis"].value_counts(normalize=True)
    for part in (train, validation, test):
        assert (part["diagnosis"].value_counts(normalize=True) - whole).abs().max() < 0.01
        assert (part["diagnosis"].value_counts() >= 5).all()


def test_ham10000_has_7452_lesions_after_merging(cases: pd.DataFrame) -> None:
    assert len(np.unique(lesion_groups(cases))) == 7470 - 18


def test_oversampled_reproduces_the_leaky_notebook(cases: pd.DataFrame) -> None:
    train, validation, test = parts(split(cases, "oversampled"))
    assert (len(train), len(validation), len(test)) == (32_872, 7_022, 7_041)
    everything = cases["diagnosis"].iloc[np.concatenate([train, validation, test])]
    assert everything.value_counts().to_dict() == dict.fromkeys(cases["diagnosis"].unique(), 6705)
    shares = overlap(cases.iloc[train], cases.iloc[test])
    assert round(shares.loc["total", "image"], 3) == 0.930
    assert round(shares.loc["total", "lesion"], 3) == 0.947
    assert (shares.loc[["akiec", "bcc", "df", "vasc"], "lesion"].round(3) == 1).all()
    assert shares.loc["nv", "image"].round(2) == 0.54


def test_image_leaves_lesions_of_the_test_part_to_be_learnt_from(cases: pd.DataFrame) -> None:
    made = [split(cases, "image", fold) for fold in range(FOLDS)]
    trained = [overlap(cases.iloc[one.train], cases.iloc[one.test]).loc["total"] for one in made]
    learnt = [
        overlap(cases.iloc[np.concatenate([one.train, one.validation])], cases.iloc[one.test]).loc["total"]
        for one in made
    ]
    assert all(share["image"] == 0 for share in learnt)
    assert np.mean([share["lesion"] for share in trained]) == pytest.approx(0.352, abs=0.005)
    assert np.mean([share["lesion"] for share in learnt]) == pytest.approx(0.391, abs=0.005)


def test_lesion_leaves_nothing_of_the_test_part_in_training(cases: pd.DataFrame, lesion_folds: list[Split]) -> None:
    made = lesion_folds[0]
    shares = overlap(cases.iloc[made.train], cases.iloc[made.test])
    assert (shares[["image", "lesion"]] == 0).all(axis=None)


@pytest.mark.parametrize("protocol", ["lesion", "image"])
def test_the_order_of_the_rows_does_not_matter(cases: pd.DataFrame, lesion_folds: list[Split], protocol: str) -> None:
    shuffled = cases.sample(frac=1, random_state=1).reset_index(drop=True)
    expected = lesion_folds[0] if protocol == "lesion" else split(cases, protocol)
    for one, other in zip(parts(expected), parts(split(shuffled, protocol)), strict=True):
        assert set(cases["image_id"].iloc[one]) == set(shuffled["image_id"].iloc[other])

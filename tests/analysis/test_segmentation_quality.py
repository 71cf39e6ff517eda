import pandas as pd
import pytest

from analysis.segmentation_quality import mean_dice, segmentation_quality


def test_all_is_weighted_as_the_data_set_is() -> None:
    overlaps = pd.DataFrame({"lesion_id": list("abc"), "diagnosis": ["mel", "nv", "nv"], "dice": [0.5, 0.8, 1.0]})
    found = mean_dice(overlaps, pd.Series({"mel": 1, "nv": 3}))
    assert found["mel"].value == pytest.approx(0.5)
    assert found["nv"].value == pytest.approx(0.9)
    assert found["all"].value == pytest.approx(0.25 * 0.5 + 0.75 * 0.9)


def test_a_few_cases_of_every_diagnosis_are_segmented(ham10000_cases: pd.DataFrame) -> None:
    told: list[tuple[int, int]] = []
    overlaps = segmentation_quality(ham10000_cases, 2, lambda done, total: told.append((done, total)))
    assert overlaps["diagnosis"].value_counts().to_dict() == dict.fromkeys(ham10000_cases["diagnosis"].unique(), 2)
    assert overlaps["dice"].between(0, 1).all()
    assert told[-1] == (14, 14)

"""Groups partition the cases by what is known of the patient, and their figures are scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score, roc_auc_score

from analysis.groups import KINDS, GroupFigures, group_figures, worst_group
from analysis.predictions import annotate
from model.classes import CODES
from tests.analysis.conftest import make_predictions


@pytest.fixture(scope="module")
def groups(predictions: pd.DataFrame) -> dict[tuple[str, str], GroupFigures]:
    return {(group.kind, group.name): group for group in group_figures(predictions, CODES)}


def test_every_case_is_in_one_group_of_each_kind(
    groups: dict[tuple[str, str], GroupFigures], predictions: pd.DataFrame
) -> None:
    for kind in KINDS:
        assert sum(group.cases for group in groups.values() if group.kind == kind) == len(predictions)


def test_figures_of_a_group_are_scikit_learns(
    groups: dict[tuple[str, str], GroupFigures], predictions: pd.DataFrame
) -> None:
    table = predictions[predictions["sex"] == "female"]
    group = groups["sex", "female"]
    melanoma = table["diagnosis"] == "mel"
    present = sorted(table["diagnosis"].unique())
    recall = recall_score(table["diagnosis"], table["predicted"], labels=present, average="macro", zero_division=0)
    assert group.balanced_accuracy.value == pytest.approx(recall)
    assert group.melanoma_auc.value == pytest.approx(roc_auc_score(melanoma, table["probability_mel"]))
    assert group.melanoma_recall.value == pytest.approx((table["predicted"][melanoma] == "mel").mean())
    assert (group.lesions, group.diagnoses) == (table["lesion_id"].nunique(), len(present))


def test_ages_are_cut_at_their_lower_ends_and_unknown_is_a_group() -> None:
    ages = [0, 25, 30, 44, 45, 59, 60, 74, 75, 85, np.nan, np.nan]
    table = annotate(make_predictions(len(ages)).assign(age=ages), CODES)
    counts = {group.name: group.cases for group in group_figures(table, CODES) if group.kind == "age"}
    assert counts == dict.fromkeys(("under 30", "30–44", "45–59", "60–74", "75 and over", "unknown"), 2)


def test_small_groups_are_marked_and_never_the_worst() -> None:
    table = make_predictions(600).assign(sex="female", site="back", age=50.0, confirmation="histo")
    table["lesion_id"] = table["image_id"]
    small = table.index[:49]
    table.loc[small, "site"] = "ear"
    table.loc[small, "predicted"] = "vasc"
    found = {group.name: group for group in group_figures(annotate(table, CODES), CODES)}
    assert found["ear"].few
    assert not found["back"].few
    worst = worst_group(list(found.values()))
    assert worst is not None
    assert worst.name != "ear"
    assert worst_group([]) is None


def test_a_group_without_melanomas_has_no_figures_of_them() -> None:
    table = make_predictions(300)
    table["site"] = np.where(table["diagnosis"] == "mel", "back", "ear")
    ear = next(group for group in group_figures(annotate(table, CODES), CODES) if group.name == "ear")
    assert np.isnan([ear.melanoma_auc.value, ear.melanoma_recall.value]).all()
    assert ear.melanomas == 0
    assert ear.few_melanomas
    assert ear.diagnoses == 6

"""Performance by group of patients: by age, sex, site of the lesion and way of confirmation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.areas import weighted_auc
from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.confusion import confusion_matrices
from analysis.headline import MELANOMA
from analysis.metrics import balanced_accuracies, precision_recall_f1
from analysis.predictions import probabilities

UNKNOWN = "unknown"
AGES = {"under 30": 0, "30–44": 30, "45–59": 45, "60–74": 60, "75 and over": 75}
KINDS = ("age", "sex", "site", "confirmation")
FEW_LESIONS = 50
FEW_MELANOMAS = 10


@dataclass(frozen=True)
class GroupFigures:
    """The figures of one group; `kind` is the column that makes it, `name` its value there.

    `diagnoses` counts the classes that the group has: balanced accuracy is over these alone, so that groups without the
    hard ones look better. `melanomas` counts lesions. `few` and `few_melanomas` mark groups with fewer than 50 lesions
    and 10 melanomas: their figures say little.
    """

    kind: str
    name: str
    cases: int
    lesions: int
    diagnoses: int
    melanomas: int
    balanced_accuracy: Estimate
    melanoma_recall: Estimate
    melanoma_auc: Estimate
    few: bool
    few_melanomas: bool


def group_figures(table: pd.DataFrame, classes: Sequence[str], seed: int = 0) -> tuple[GroupFigures, ...]:
    """The figures of every group of every kind on a table of predictions (`analysis.predictions.read_predictions`)."""
    return tuple(
        _figures(kind, str(name), part, classes, seed)
        for kind in KINDS
        for name, part in table.groupby(_groups(table, kind), observed=True)
    )


def worst_group(groups: Sequence[GroupFigures]) -> GroupFigures | None:
    """The group with the lowest balanced accuracy among those that have every diagnosis and are not small."""
    most = max((group.diagnoses for group in groups), default=0)
    comparable = [group for group in groups if group.diagnoses == most and not group.few]
    return min(comparable, key=lambda group: group.balanced_accuracy.value, default=None)


def _groups(table: pd.DataFrame, kind: str) -> "pd.Series[Any]":
    if kind != "age":
        return table[kind].fillna(UNKNOWN)
    ages = pd.cut(table["age"], [*AGES.values(), float("inf")], right=False, labels=list(AGES))
    return ages.cat.add_categories(UNKNOWN).fillna(UNKNOWN)


def _figures(kind: str, name: str, table: pd.DataFrame, classes: Sequence[str], seed: int) -> GroupFigures:
    weights = lesion_weights(table["lesion_id"], seed=seed)
    matrices = confusion_matrices(table, classes, weights)
    melanoma = (table["diagnosis"] == MELANOMA).to_numpy(bool)
    lesions = table["lesion_id"].nunique()
    melanomas = table["lesion_id"][melanoma].nunique()
    return GroupFigures(
        kind=kind,
        name=name,
        cases=len(table),
        lesions=lesions,
        diagnoses=table["diagnosis"].nunique(),
        melanomas=melanomas,
        balanced_accuracy=estimate(balanced_accuracies(matrices)),
        melanoma_recall=estimate(precision_recall_f1(matrices)[1][:, list(classes).index(MELANOMA)]),
        melanoma_auc=estimate(weighted_auc(probabilities(table, [MELANOMA])[:, 0], melanoma, weights)),
        few=lesions < FEW_LESIONS,
        few_melanomas=melanomas < FEW_MELANOMAS,
    )

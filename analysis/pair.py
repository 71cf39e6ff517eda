"""The audit of a pair of classes: among the cases of either, how a margin between their logits tells them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.areas import weighted_auc
from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.curves import Curve, roc
from analysis.predictions import margin
from analysis.shares import share

HISTOLOGY = "histo"


class PairError(ValueError):
    """A pair cannot be audited; the message says why."""


@dataclass(frozen=True, eq=False)
class PairAudit:
    """The cases of two classes with the margin logit(code) - logit(against) of each, float64 (cases,).

    `code` is the class that is looked for: sensitivity is its share found, specificity the share of `against` left
    alone. `weights` (1 + resamples, cases) are the bootstrap's. `auc` is the area under `curve`.
    """

    code: str
    against: str
    table: pd.DataFrame
    margins: NDArray[np.float64]
    positive: NDArray[np.bool_]
    weights: NDArray[np.float32]
    curve: Curve
    auc: Estimate


@dataclass(frozen=True)
class OperatingPoint:
    """What deciding for `code` from a margin of `threshold` up gives: the four cells and their rates.

    `found` are cases of `code` decided as such and `missed` those that are not; `cleared` are cases of `against`
    decided as such and `alarms` those taken for `code`. `precision` is found / (found + alarms).
    """

    threshold: float
    found: int
    missed: int
    alarms: int
    cleared: int
    sensitivity: Estimate
    specificity: Estimate
    precision: Estimate


def audit_pair(table: pd.DataFrame, code: str, against: str, histology_only: bool = False, seed: int = 0) -> PairAudit:
    """Audit `code` against `against` on a table of predictions, on all their cases or those confirmed by histology.

    Raises PairError when the classes are the same or either has no case.
    """
    if code == against:
        raise PairError(f"A pair needs two classes, not {code} twice.")
    cases = table[table["diagnosis"].isin([code, against])]
    if histology_only:
        cases = cases[cases["confirmation"] == HISTOLOGY]
    for name in (code, against):
        if not (cases["diagnosis"] == name).any():
            kind = "histology-confirmed case" if histology_only else "case"
            raise PairError(f"There is no {kind} of {name} in these predictions.")
    margins = margin(cases, code, against)
    positive = (cases["diagnosis"] == code).to_numpy(bool)
    weights = lesion_weights(cases["lesion_id"], seed=seed)
    auc = estimate(weighted_auc(margins, positive, weights))
    return PairAudit(code, against, cases, margins, positive, weights, roc(margins, positive), auc)


def model_threshold(
    classes: Sequence[str], class_prior: Sequence[float], temperature: float, code: str, against: str
) -> float:
    """The margin at which the model itself turns from `against` to `code`, in logits.

    It calls the class whose calibrated probability is largest in proportion to its prior, and p(code) / prior(code) =
    p(against) / prior(against) at margin = temperature * log(prior(code) / prior(against)).
    """
    priors = dict(zip(classes, class_prior, strict=True))
    return temperature * float(np.log(priors[code] / priors[against]))


def operating_point(audit: PairAudit, threshold: float) -> OperatingPoint:
    """The four cells and rates of an audit at one threshold."""
    return operating_points(audit, [threshold])[0]


def operating_points(audit: PairAudit, thresholds: Sequence[float]) -> list[OperatingPoint]:
    """The four cells and rates of an audit at each threshold, with intervals over the same resamples."""
    decided = audit.margins[:, np.newaxis] >= np.asarray(thresholds)
    of_code = audit.weights * audit.positive
    of_against = audit.weights * ~audit.positive
    found = (of_code @ decided.astype(np.float32)).astype(np.float64)
    alarms = (of_against @ decided.astype(np.float32)).astype(np.float64)
    positives, negatives = of_code.sum(axis=1, keepdims=True), of_against.sum(axis=1, keepdims=True)
    sensitivity, false_rate = share(found, positives), share(alarms, negatives)
    precision = share(found, found + alarms)
    return [
        OperatingPoint(
            threshold=float(threshold),
            found=int(found[0, index]),
            missed=int(positives[0, 0] - found[0, index]),
            alarms=int(alarms[0, index]),
            cleared=int(negatives[0, 0] - alarms[0, index]),
            sensitivity=estimate(sensitivity[:, index]),
            specificity=estimate(1 - false_rate[:, index]),
            precision=estimate(precision[:, index]),
        )
        for index, threshold in enumerate(thresholds)
    ]


def missed_cases(audit: PairAudit, threshold: float) -> pd.DataFrame:
    """Cases of `code` decided as `against`, the most confident error (lowest margin) first, with column `margin`."""
    wrong = audit.table.assign(margin=audit.margins)[audit.positive & (audit.margins < threshold)]
    return wrong.sort_values("margin", kind="stable")


def alarm_cases(audit: PairAudit, threshold: float) -> pd.DataFrame:
    """Cases of `against` decided as `code`, the most confident error (highest margin) first, with column `margin`."""
    wrong = audit.table.assign(margin=audit.margins)[~audit.positive & (audit.margins >= threshold)]
    return wrong.sort_values("margin", ascending=False, kind="stable")

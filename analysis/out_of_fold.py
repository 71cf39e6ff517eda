"""Out-of-fold predictions: every case of the data set, predicted by the one model that never saw its lesion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.headline import MELANOMA, Headline, as_headline, headline_values
from analysis.pair import audit_pair
from analysis.performance import NAEVUS, calibration
from analysis.predictions import probabilities, read_predictions
from analysis.sensitivity import weighted_sensitivity
from model.bundle import Card, ModelBundle
from model.cases import fingerprint
from model.splits import FOLDS, lesion_groups
from model.training import settings

SPECIFICITY = 0.9


class OutOfFoldError(ValueError):
    """Bundles are not the folds of one cross-validation; the message says why."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """The test predictions of all folds, pooled: each case once, calibrated by its own fold's temperature.

    `table` has one row per case of the data set, with the columns of `analysis.predictions.read_predictions`, and
    `fold` and `temperature`; `bundles` are in order of fold. Lesions that are known to be one under two names have one
    lesion_id here.
    """

    bundles: tuple[ModelBundle, ...]
    table: pd.DataFrame

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in the models' order."""
        return self.bundles[0].card.classes


@dataclass(frozen=True)
class FoldFigures:
    """One fold's model on its own test part; the intervals are in its card."""

    fold: int
    name: str
    cases: int
    temperature: float
    balanced_accuracy: float
    macro_auc: float
    melanoma_auc: float


@dataclass(frozen=True)
class OutOfFoldFigures:
    """What the out-of-fold predictions amount to, every estimate with its 95 % interval over lesions.

    `mean` is the mean over the folds' models, resampled within folds; `pooled` takes all cases as one table.
    `melanoma_sensitivity` is the ROC point of melanoma against the rest at 90 % specificity on the pooled calibrated
    probabilities: it describes the curve, no threshold is claimed for use. `melanoma_naevus_auc` is the area under the
    curve of their margin among these two diagnoses, in calibrated logits; `..._histology` leaves out the naevi that
    were not confirmed by histology, as every melanoma was. `calibration_error` is the expected calibration error of
    the most probable class (`analysis.curves.reliability`) at temperature 1 and after scaling.
    """

    cases: int
    lesions: int
    folds: tuple[FoldFigures, ...]
    mean: Headline
    pooled: Headline
    melanoma_sensitivity: Estimate
    melanoma_naevus_auc: Estimate
    melanoma_naevus_auc_histology: Estimate
    calibration_error_before: Estimate
    calibration_error: Estimate
    perfect_calibration_error: float


def read_out_of_fold(bundles: Sequence[ModelBundle]) -> OutOfFold:
    """Pool the test predictions of the bundles of all folds of protocol `lesion`, in order of fold.

    Raises OutOfFoldError unless the folds are all there once, of the same network, input size, classes and data, and
    their test parts are together exactly the data set, no lesion in two of them; PredictionsError for a bad file.
    """
    ordered = tuple(sorted(bundles, key=lambda bundle: bundle.card.split.get("fold", -1)))
    _check_cards([bundle.card for bundle in ordered])
    parts = [
        read_predictions(bundle.predictions_path, bundle.card.classes)
        .drop(columns="gradcam")
        .assign(fold=fold, temperature=bundle.card.temperature)
        for fold, bundle in enumerate(ordered)
    ]
    table = pd.concat(parts, ignore_index=True)
    if table["image_id"].duplicated().any() or fingerprint(table) != ordered[0].card.data["fingerprint"]:
        raise OutOfFoldError("The folds' test parts are not together the data set, each case once.")
    groups = lesion_groups(table)
    if table.groupby(groups)["fold"].nunique().max() > 1:
        raise OutOfFoldError("A lesion is in the test parts of two folds.")
    return OutOfFold(ordered, table.assign(lesion_id=table.groupby(groups)["lesion_id"].transform("first")))


def out_of_fold_figures(predictions: OutOfFold, seed: int = 0) -> OutOfFoldFigures:
    """Work out all figures; a few seconds on the ten thousand cases of HAM10000."""
    table, classes = predictions.table, predictions.classes
    values = [
        headline_values(part, classes, lesion_weights(part["lesion_id"], seed=seed + number))
        for number, (_, part) in enumerate(table.groupby("fold"))
    ]
    cards = [bundle.card for bundle in predictions.bundles]
    diagrams = calibration(table, classes, seed)
    weights = lesion_weights(table["lesion_id"], seed=seed)
    return OutOfFoldFigures(
        cases=len(table),
        lesions=table["lesion_id"].nunique(),
        folds=tuple(
            FoldFigures(fold, card.name, card.split["test"], card.temperature, *(float(value[0]) for value in part))
            for fold, (card, part) in enumerate(zip(cards, values, strict=True))
        ),
        mean=as_headline(np.mean(values, axis=0)),
        pooled=as_headline(headline_values(table, classes, weights)),
        melanoma_sensitivity=estimate(_melanoma_sensitivity(table, weights)),
        melanoma_naevus_auc=_pair_auc(table, histology_only=False, seed=seed),
        melanoma_naevus_auc_histology=_pair_auc(table, histology_only=True, seed=seed),
        calibration_error_before=diagrams.before.error,
        calibration_error=diagrams.after.error,
        perfect_calibration_error=diagrams.after.perfect_error,
    )


def _check_cards(cards: Sequence[Card]) -> None:
    folds = [card.split.get("fold") for card in cards]
    if folds != list(range(FOLDS)):
        there = ", ".join(map(str, folds)) or "none"
        raise OutOfFoldError(f"Out-of-fold figures need models of folds 0 to {FOLDS - 1}, one each; there are {there}.")
    first = _recipe(cards[0])
    if first["protocol"] != "lesion":
        raise OutOfFoldError(f"Out-of-fold figures need protocol lesion; {cards[0].name} has {first['protocol']}.")
    for card in cards[1:]:
        different = [name for name, value in _recipe(card).items() if value != first[name]]
        if different:
            raise OutOfFoldError(f"{card.name} and {cards[0].name} differ in {', '.join(different)}.")


def _recipe(card: Card) -> dict[str, object]:
    """What the folds of one cross-validation have in common."""
    split = {name: card.split.get(name) for name in ("protocol", "seed")}
    fingerprint = card.data.get("fingerprint")
    own = {"network": card.network, "size": card.size, "classes": card.classes, "data": fingerprint}
    return {**settings(card.training, apart=("fold",)), **split, **own}


def _melanoma_sensitivity(table: pd.DataFrame, weights: NDArray[np.float32]) -> NDArray[np.float64]:
    melanoma = (table["diagnosis"] == MELANOMA).to_numpy(bool)
    return weighted_sensitivity(probabilities(table, [MELANOMA])[:, 0], melanoma, weights, SPECIFICITY)


def _pair_auc(table: pd.DataFrame, histology_only: bool, seed: int) -> Estimate:
    """The area of the margin in calibrated logits, which are what the folds' models have in common."""
    scaled = {f"logit_{code}": table[f"logit_{code}"] / table["temperature"] for code in (MELANOMA, NAEVUS)}
    return audit_pair(table.assign(**scaled), MELANOMA, NAEVUS, histology_only, seed).auc

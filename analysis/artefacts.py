"""By image quality: how a model does on images with and without each artefact, such as hair or ink.

Winkler et al. 2019 (doi:10.1001/jamadermatol.2019.1735) photographed the same naevi before and after they were marked
with ink, and found the marked ones called melanoma far more often. Here the images with and without are of different
lesions: a difference can come from these as well as from the artefact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.areas import weighted_auc
from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.confusion import confusion_matrices
from analysis.descriptors import PRESENT
from analysis.descriptors.checked import CHECKED, Detection
from analysis.headline import MELANOMA
from analysis.metrics import balanced_accuracies
from analysis.performance import NAEVUS
from analysis.predictions import probabilities
from analysis.shares import share


@dataclass(frozen=True)
class ArtefactFigures:
    """Figures of the images that show an artefact, of those that do not, or the first less the second.

    `balanced_accuracy` is over the diagnoses that both have. `melanoma_recall` is the share of melanomas that are
    called so, `naevi_called_melanoma` that of naevi.
    """

    balanced_accuracy: Estimate
    melanoma_auc: Estimate
    melanoma_recall: Estimate
    naevi_called_melanoma: Estimate


@dataclass(frozen=True)
class ArtefactSide:
    """The images with an artefact, or those without; `melanomas` and `naevi` count lesions."""

    cases: int
    lesions: int
    melanomas: int
    naevi: int
    figures: ArtefactFigures


@dataclass(frozen=True)
class Artefact:
    """What an artefact goes along with; `detection` says how often its detector was right on images checked by eye.

    `diagnoses` are those that both sides have.
    """

    name: str
    detection: Detection
    diagnoses: int
    present: ArtefactSide
    absent: ArtefactSide
    difference: ArtefactFigures


def shows(table: pd.DataFrame, artefact: str) -> NDArray[np.bool_]:
    """Which images of a table with descriptors show the artefact, bool (cases,): where it reaches its PRESENT."""
    present: NDArray[np.bool_] = table[artefact].to_numpy(np.float64) >= PRESENT[artefact]
    return present


def artefact_figures(
    table: pd.DataFrame, classes: Sequence[str], artefacts: Sequence[str], seed: int = 0
) -> tuple[Artefact, ...]:
    """The figures by each of `artefacts`, columns of a table of predictions (`analysis.audit_predictions`).

    95 % intervals, those of differences too, are over the same resamples of lesions. There are none for classes without
    melanoma and naevus.
    """
    if not {MELANOMA, NAEVUS} <= set(classes):
        return ()
    weights = lesion_weights(table["lesion_id"], seed=seed)
    return tuple(_artefact(table, classes, name, weights) for name in artefacts)


def _artefact(table: pd.DataFrame, classes: Sequence[str], name: str, weights: NDArray[np.float32]) -> Artefact:
    present = shows(table, name)
    sides = (present, ~present)
    common = set(table["diagnosis"][present]) & set(table["diagnosis"][~present])
    counted = np.isin(classes, list(common))
    of_present, of_absent = (_values(table[side], classes, counted, weights[:, side]) for side in sides)
    return Artefact(
        name=name,
        detection=CHECKED[name],
        diagnoses=len(common),
        present=_side(table[present], of_present),
        absent=_side(table[~present], of_absent),
        difference=_figures(of_present - of_absent),
    )


def _values(
    table: pd.DataFrame, classes: Sequence[str], counted: NDArray[np.bool_], weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The figures in every resample, float64 (4, resamples), in the order of `ArtefactFigures`.

    Balanced accuracy is over the classes that are `counted`, bool (classes,).
    """
    if table.empty:
        return np.full((4, len(weights)), np.nan)
    matrices = confusion_matrices(table, classes, weights)
    melanoma, naevus = classes.index(MELANOMA), classes.index(NAEVUS)
    is_melanoma = (table["diagnosis"] == MELANOMA).to_numpy(bool)
    return np.stack(
        [
            balanced_accuracies(matrices * counted[:, np.newaxis]),
            weighted_auc(probabilities(table, [MELANOMA])[:, 0], is_melanoma, weights),
            share(matrices[:, melanoma, melanoma], matrices[:, melanoma].sum(axis=1)),
            share(matrices[:, naevus, melanoma], matrices[:, naevus].sum(axis=1)),
        ]
    )


def _figures(values: NDArray[np.float64]) -> ArtefactFigures:
    return ArtefactFigures(*(estimate(row) for row in values))


def _side(table: pd.DataFrame, values: NDArray[np.float64]) -> ArtefactSide:
    melanomas, naevi = (table["lesion_id"][table["diagnosis"] == code].nunique() for code in (MELANOMA, NAEVUS))
    return ArtefactSide(len(table), table["lesion_id"].nunique(), melanomas, naevi, _figures(values))

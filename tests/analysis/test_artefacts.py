"""Figures by image quality, against hand counts and scikit-learn on the very images."""

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from analysis.artefacts import Artefact, artefact_figures, shows
from analysis.descriptors import DESCRIPTORS, PRESENT
from analysis.predictions import annotate
from analysis.selection import Selection, select
from model.classes import CODES
from tests.analysis.predicted_audit import predicted_table


@pytest.fixture
def table() -> pd.DataFrame:
    return annotate(predicted_table(), CODES, maps=False)


def by_name(table: pd.DataFrame) -> dict[str, Artefact]:
    return {one.name: one for one in artefact_figures(table, CODES, tuple(DESCRIPTORS))}


def test_an_artefact_is_shown_from_its_threshold_on() -> None:
    values = pd.DataFrame({"ruler": [PRESENT["ruler"] - 1, PRESENT["ruler"], PRESENT["ruler"] + 1]})
    assert list(shows(values, "ruler")) == [False, True, True]


def test_naevi_called_melanoma_are_counted_on_either_side(table: pd.DataFrame) -> None:
    """Ink is on the naevi 0, 1 and 2, of which 0 and 1 are called melanoma; without it are 3, 4 and 5."""
    ink = by_name(table)["ink"]
    assert (ink.present.cases, ink.present.lesions, ink.present.naevi, ink.present.melanomas) == (3, 2, 2, 0)
    assert (ink.absent.cases, ink.absent.melanomas) == (13, 1)
    assert ink.present.figures.naevi_called_melanoma.value == pytest.approx(2 / 3)
    assert ink.absent.figures.naevi_called_melanoma.value == 0
    assert ink.difference.naevi_called_melanoma.value == pytest.approx(2 / 3)


def test_balanced_accuracy_is_over_the_diagnoses_of_both_sides(table: pd.DataFrame) -> None:
    """With ink there are naevi alone: one of three is right there, and all three without."""
    ink = by_name(table)["ink"]
    assert ink.diagnoses == 1
    assert ink.present.figures.balanced_accuracy.value == pytest.approx(1 / 3)
    assert ink.absent.figures.balanced_accuracy.value == 1
    assert ink.difference.balanced_accuracy.low <= -2 / 3 <= ink.difference.balanced_accuracy.high


def test_melanoma_figures_are_scikit_learn_s(table: pd.DataFrame) -> None:
    without = table[~shows(table, "ink")]
    figures = by_name(table)["ink"].absent.figures
    area = roc_auc_score(without["diagnosis"] == "mel", without["probability_mel"])
    assert figures.melanoma_auc.value == pytest.approx(area)
    melanomas = without[without["diagnosis"] == "mel"]
    assert figures.melanoma_recall.value == pytest.approx((melanomas["predicted"] == "mel").mean())


def test_where_no_image_shows_it_there_are_no_figures(table: pd.DataFrame) -> None:
    patches = by_name(table)["colour_patches"]
    assert patches.present.cases == 0
    assert pd.isna(patches.present.figures.balanced_accuracy.value)
    assert pd.isna(patches.difference.naevi_called_melanoma.value)


def test_classes_without_melanoma_have_none(table: pd.DataFrame) -> None:
    assert artefact_figures(table, ("benign", "nv"), ("ink",)) == ()


def test_selections_of_artefacts_show_all_and_none_of_them(table: pd.DataFrame) -> None:
    def numbers(**conditions: tuple[str, ...]) -> list[int]:
        return list(select(table, Selection(**conditions)).index)

    assert numbers(artefacts=("ink",)) == [0, 1, 2]
    assert numbers(artefacts=("ink", "hair")) == [1]
    assert numbers(artefacts=("ink",), no_artefacts=("hair",)) == [0, 2]
    assert 3 not in numbers(no_artefacts=("ruler",))

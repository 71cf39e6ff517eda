"""What the panel by image quality says in words."""

from dataclasses import replace

import pytest

from analysis.artefacts import Artefact, ArtefactSide, artefact_figures
from analysis.bootstrap import Estimate
from analysis.predictions import annotate
from app.artefact_table import answer
from model.classes import CODES
from tests.analysis.predicted_audit import predicted_table

TWO_FIFTHS, ONE_FIFTH, NONE = Estimate(0.4, 0.3, 0.5), Estimate(0.2, 0.1, 0.3), Estimate(0.0, 0.0, 0.0)


def ink(present: Estimate, absent: Estimate, difference: Estimate, naevi: int = 40) -> Artefact:
    """Ink, of which only what is said of naevi counts here."""
    [found] = artefact_figures(annotate(predicted_table(), CODES, maps=False), CODES, ["ink"])

    def side(of: ArtefactSide, called: Estimate) -> ArtefactSide:
        return replace(of, naevi=naevi, figures=replace(of.figures, naevi_called_melanoma=called))

    return replace(
        found,
        present=side(found.present, present),
        absent=side(found.absent, absent),
        difference=replace(found.difference, naevi_called_melanoma=difference),
    )


@pytest.mark.parametrize(
    ("artefact", "verdict"),
    [
        (ink(TWO_FIFTHS, ONE_FIFTH, Estimate(0.2, 0.05, 0.35)), "more, beyond chance"),
        (ink(ONE_FIFTH, TWO_FIFTHS, Estimate(-0.2, -0.35, -0.05)), "fewer, beyond chance"),
        (ink(TWO_FIFTHS, ONE_FIFTH, Estimate(0.2, -0.05, 0.45)), "no difference beyond chance"),
        (ink(NONE, ONE_FIFTH, Estimate(-0.2, -0.3, -0.1)), "too few to tell, 40 of them with and 40 without"),
        (
            ink(TWO_FIFTHS, ONE_FIFTH, Estimate(0.2, 0.05, 0.35), naevi=9),
            "too few to tell, 9 of them with and 9 without",
        ),
    ],
)
def test_beyond_chance_is_said_only_where_resamples_know_of_chance(artefact: Artefact, verdict: str) -> None:
    assert answer([artefact]).endswith(f": {verdict}.")


def test_what_shows_nowhere_is_said() -> None:
    nowhere = ink(NONE, NONE, NONE)
    assert answer([replace(nowhere, present=replace(nowhere.present, naevi=0))]).startswith("No image of a naevus")

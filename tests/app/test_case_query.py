"""A selection survives its way through an address, and an address that means nothing is refused."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from analysis.selection import MarginRange, Selection
from app import urls
from app.case_query import QueryError, read_selection, write_selection
from model.classes import CODES


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(diagnosis=("mel", "nv"), predicted=("bkl",), correct=False),
        Selection(confirmation=("histo",), sex=("female",), site=("lower extremity",), correct=True),
        Selection(confidence=(0.05, 0.9), age=(20, 65), search="HAM_00&x=1"),
        Selection(margin=MarginRange("mel", "nv", low=-1.4162548681260916)),
        Selection(margin=MarginRange("mel", "nv", high=2.5)),
        Selection(artefacts=("hair", "ink"), no_artefacts=("ruler",)),
    ],
)
def test_a_selection_is_what_its_address_says(selection: Selection) -> None:
    address = urls.cases(**write_selection(selection))
    assert read_selection(dict(parse_qsl(urlsplit(address).query)), CODES, ("hair", "ruler", "ink")) == selection


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"diagnosis": "wart"}, "'wart' is none of the classes"),
        ({"predicted": "mel,wart"}, "'wart' is none of the classes"),
        ({"correct": "maybe"}, "yes or no"),
        ({"age": "old"}, "age is a range"),
        ({"confidence": "0.1-0.2-0.3"}, "confidence is a range"),
        ({"margin": "mel"}, "names two of the classes"),
        ({"margin": "mel,nv", "margin_from": "low"}, "A margin is a number"),
    ],
)
def test_queries_that_mean_nothing_are_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        read_selection(query, CODES)


def test_artefacts_are_those_that_are_known_of_the_cases() -> None:
    with pytest.raises(QueryError, match="'tattoo' is none of the artefacts hair, ink"):
        read_selection({"no_artefacts": "tattoo"}, CODES, ("hair", "ink"))
    with pytest.raises(QueryError, match="known of an audit's cases alone"):
        read_selection({"artefacts": "hair"}, CODES)


def test_names_of_other_things_are_left_alone() -> None:
    assert read_selection({"sort": "age:asc"}, CODES) == Selection()

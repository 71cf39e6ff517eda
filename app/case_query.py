"""A selection of cases as the query of an address, so that it can be linked, bookmarked and cited."""

import math
from collections.abc import Mapping

from analysis.selection import MarginRange, Selection

CATEGORIES = ("diagnosis", "predicted", "confirmation", "sex", "site")
ARTEFACTS = ("artefacts", "no_artefacts")
RANGES = ("confidence", "age")
CORRECT = {"yes": True, "no": False}


class QueryError(ValueError):
    """The query of an address asks for something that there is not; the message says what and what there is."""


def read_selection(query: Mapping[str, str], classes: tuple[str, ...], artefacts: tuple[str, ...] = ()) -> Selection:
    """The selection that a query means; names that are not of a selection are left alone.

    `artefacts` are those that the images' quality is known by.

    Several values of a category are parted by commas, the ends of a range by a hyphen ("40-60"). Raises QueryError.
    """
    correct = query.get("correct")
    if correct is not None and correct not in CORRECT:
        raise QueryError(f"correct is {' or '.join(CORRECT)}, not {correct!r}.")
    categories = {name: _read_values(query, name) for name in CATEGORIES}
    unknown = sorted(set(categories["diagnosis"] + categories["predicted"]) - set(classes))
    if unknown:
        raise QueryError(f"{unknown[0]!r} is none of the classes {', '.join(classes)}.")
    return Selection(
        diagnosis=categories["diagnosis"],
        predicted=categories["predicted"],
        confirmation=categories["confirmation"],
        sex=categories["sex"],
        site=categories["site"],
        correct=None if correct is None else CORRECT[correct],
        confidence=_read_range(query, "confidence"),
        age=_read_range(query, "age"),
        search=query.get("search", ""),
        margin=_read_margin(query, classes),
        **{name: _read_artefacts(query, name, artefacts) for name in ARTEFACTS},
    )


def write_selection(selection: Selection) -> dict[str, str | None]:
    """The query of a selection, with None for each condition that it does not make."""
    margin = selection.margin
    return {
        **{name: ",".join(getattr(selection, name)) or None for name in (*CATEGORIES, *ARTEFACTS)},
        "correct": {True: "yes", False: "no", None: None}[selection.correct],
        **{name: _write_range(getattr(selection, name)) for name in RANGES},
        "search": selection.search or None,
        "margin": None if margin is None else f"{margin.code},{margin.against}",
        "margin_from": None if margin is None else _write_bound(margin.low),
        "margin_below": None if margin is None else _write_bound(margin.high),
    }


def _read_values(query: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, query.get(name, "").split(",")))


def _read_artefacts(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    values = _read_values(query, name)
    unknown = sorted(set(values) - set(known))
    if unknown and not known:
        raise QueryError("What else the images show is known of an audit's cases alone (see the list of models).")
    if unknown:
        raise QueryError(f"{unknown[0]!r} is none of the artefacts {', '.join(known)}.")
    return values


def _read_range(query: Mapping[str, str], name: str) -> tuple[float, float] | None:
    text = query.get(name)
    if not text:
        return None
    try:
        low, high = (float(part) for part in text.split("-"))
    except ValueError:
        raise QueryError(f"{name} is a range such as 0-1, not {text!r}.") from None
    return low, high


def _read_margin(query: Mapping[str, str], classes: tuple[str, ...]) -> MarginRange | None:
    text = query.get("margin")
    if not text:
        return None
    code, _, against = text.partition(",")
    if not {code, against} <= set(classes):
        raise QueryError(f"margin names two of the classes {', '.join(classes)}, such as mel,nv, not {text!r}.")
    low, high = query.get("margin_from"), query.get("margin_below")
    try:
        return MarginRange(code, against, float("-inf" if low is None else low), float("inf" if high is None else high))
    except ValueError:
        raise QueryError(f"A margin is a number, not {low!r} or {high!r}.") from None


def _write_range(bounds: tuple[float, float] | None) -> str | None:
    return None if bounds is None else f"{bounds[0]:g}-{bounds[1]:g}"


def _write_bound(bound: float) -> str | None:
    return repr(bound) if math.isfinite(bound) else None

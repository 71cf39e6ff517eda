"""The addresses of the dashboard: every page, every view's state and every JSON twin is linked through here."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

HOME = "/"
EXPLAIN = "/explain"
CASES = "/cases"
CASE = "/cases/{image_id}"
METRICS = "/metrics"
CONFUSION = "/confusion"
PAIR = "/pair/{code}/{other}"
LEAKAGE = "/leakage"
CARD = "/card"
API = "/api"


def explain(
    *, sample: str | None = None, case: str | None = None, target: str | None = None, against: str | None = None
) -> str:
    """The Explain page, with a sample or case to open and what to explain: class `target`, rather than `against`."""
    return with_query(EXPLAIN, {"sample": sample, "case": case, "target": target, "against": against})


def cases(**filters: str | None) -> str:
    """The case grid, showing the cases whose columns equal `filters` (diagnosis="mel", predicted="nv", …)."""
    return with_query(CASES, filters)


def case(image_id: str, **filters: str | None) -> str:
    """One case of the test fold and its heatmaps, between its neighbours among the cases of `filters`."""
    return with_query(f"{CASES}/{quote(image_id, safe='')}", filters)


def case_image(image_id: str) -> str:
    """The image of a case."""
    return f"{API}{CASES}/{quote(image_id, safe='')}/image"


def case_thumbnail(image_id: str) -> str:
    """The image of a case, small."""
    return f"{API}{CASES}/{quote(image_id, safe='')}/thumbnail.jpg"


def case_heatmap(image_id: str, target: str, against: str | None = None) -> str:
    """The stored Grad-CAM map of a case as a layer to lay over its image."""
    query = {"target": target, "against": against}
    return with_query(f"{API}{CASES}/{quote(image_id, safe='')}/heatmap.png", query)


def metrics(*, highlight: str | None = None, calibration: str | None = None) -> str:
    """The figures of merit of every class, with the curves of class `highlight` in front.

    `calibration` "test" shows the calibration on the model's own test part where that of all folds is there.
    """
    return with_query(METRICS, {"highlight": highlight, "calibration": calibration})


def confusion(*, normalise: str | None = None) -> str:
    """The confusion matrix: counts, or shares of each row or column (`normalise` "row" or "column")."""
    return with_query(CONFUSION, {"normalise": normalise})


def pair(code: str, other: str, *, confirmation: str | None = None, margin: float | None = None) -> str:
    """The audit of one pair of classes, for cases of one confirmation or all, at a decision margin."""
    margin_text = None if margin is None else f"{margin:g}"
    return with_query(
        f"/pair/{quote(code, safe='')}/{quote(other, safe='')}", {"confirmation": confirmation, "margin": margin_text}
    )


def leakage() -> str:
    """What training has seen of the test part, and what that does to a network."""
    return LEAKAGE


def card() -> str:
    """The card of the model that is served."""
    return CARD


def json_twin(url: str) -> str:
    """The address of the JSON that says what the page at `url` shows."""
    return f"{API}{url}"


def with_query(path: str, query: Mapping[str, str | None]) -> str:
    """`path` with the entries of `query` that are set, in their order."""
    present = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(present)}" if present else path


def parse_query(search: str | None) -> dict[str, str]:
    """The query of an address as Dash's Location gives it ("?target=mel"); of repeated names the last counts."""
    return dict(parse_qsl((search or "").removeprefix("?")))

"""The addresses of the dashboard: every page, every view's state and every JSON twin is linked through here.

The constants are the patterns of routes, which know nothing of several models. The functions give addresses to link to:
they start with the root of the model that is being served where they are called (`under`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import parse_qsl, quote, urlencode

HOME = "/"
EXPLAIN = "/explain"
CASES = "/cases"
CASE = "/cases/{image_id}"
METRICS = "/metrics"
CONFUSION = "/confusion"
PAIR = "/pair/{code}/{other}"
LEAKAGE = "/leakage"
EXPLANATIONS = "/explanations"
CARD = "/card"
API = "/api"
CONNECTION = f"{API}/connection"
MODELS = "/models"

_ROOT: ContextVar[str] = ContextVar("root", default="")


@contextmanager
def under(root: str) -> Iterator[None]:
    """Inside of it, every address starts with `root`: that of `model_root`, or nothing for the model at `/`."""
    token = _ROOT.set(root)
    try:
        yield
    finally:
        _ROOT.reset(token)


def model_root(name: str) -> str:
    """What the addresses of the model called `name` start with."""
    return f"{MODELS}/{quote(name, safe='')}"


def path_in_model(pathname: str) -> str:
    """The path of an address without the root of the model: one that fits a pattern if there is such a page."""
    return pathname.removeprefix(_ROOT.get()).rstrip("/") or HOME


def home() -> str:
    """The first page."""
    return f"{_ROOT.get()}{HOME}"


def explain(
    *, sample: str | None = None, case: str | None = None, target: str | None = None, against: str | None = None
) -> str:
    """The Explain page, with a sample or case to open and what to explain: class `target`, rather than `against`."""
    return _address(EXPLAIN, {"sample": sample, "case": case, "target": target, "against": against})


def cases(**filters: str | None) -> str:
    """The case grid, showing the cases whose columns equal `filters` (diagnosis="mel", predicted="nv", …)."""
    return _address(CASES, filters)


def case(image_id: str, **filters: str | None) -> str:
    """One case of the test fold and its heatmaps, between its neighbours among the cases of `filters`."""
    return _address(_case(image_id), filters)


def case_image(image_id: str) -> str:
    """The image of a case."""
    return _address(f"{API}{_case(image_id)}/image")


def case_thumbnail(image_id: str) -> str:
    """The image of a case, small."""
    return _address(f"{API}{_case(image_id)}/thumbnail.jpg")


def case_heatmap(image_id: str, target: str, against: str | None = None) -> str:
    """The stored Grad-CAM map of a case as a layer to lay over its image."""
    return _address(f"{API}{_case(image_id)}/heatmap.png", {"target": target, "against": against})


def sample_thumbnail(name: str) -> str:
    """The picture of a synthetic sample, small."""
    return _address(f"{API}/samples/{quote(name, safe='')}/thumbnail.png")


def metrics(*, highlight: str | None = None, calibration: str | None = None) -> str:
    """The figures of merit of every class, with the curves of class `highlight` in front.

    `calibration` "test" shows the calibration on the model's own test part where that of all folds is there.
    """
    return _address(METRICS, {"highlight": highlight, "calibration": calibration})


def confusion(*, normalise: str | None = None) -> str:
    """The confusion matrix: counts, or shares of each row or column (`normalise` "row" or "column")."""
    return _address(CONFUSION, {"normalise": normalise})


def pair(code: str, other: str, *, confirmation: str | None = None, margin: float | None = None) -> str:
    """The audit of one pair of classes, for cases of one confirmation or all, at a decision margin."""
    margin_text = None if margin is None else f"{margin:g}"
    return _address(
        f"/pair/{quote(code, safe='')}/{quote(other, safe='')}", {"confirmation": confirmation, "margin": margin_text}
    )


def leakage() -> str:
    """What training has seen of the test part, and what that does to a network."""
    return _address(LEAKAGE)


def explanations() -> str:
    """What every explanation method is worth, beside the controls."""
    return _address(EXPLANATIONS)


def card() -> str:
    """The card of the model that is served."""
    return _address(CARD)


def json_twin(url: str) -> str:
    """The address of the JSON that says what the page at `url` shows; of a pattern, where no root is set, its route."""
    return _address(f"{API}{url.removeprefix(_ROOT.get())}")


def with_query(path: str, query: Mapping[str, str | None]) -> str:
    """`path` with the entries of `query` that are set, in their order."""
    present = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(present)}" if present else path


def search_of(url: str) -> str:
    """The query of an address as Dash's Location has it: "?target=mel", or nothing."""
    _, mark, query = url.partition("?")
    return mark + query


def parse_query(search: str | None) -> dict[str, str]:
    """The query of an address as Dash's Location gives it ("?target=mel"); of repeated names the last counts."""
    return dict(parse_qsl((search or "").removeprefix("?")))


def _address(path: str, query: Mapping[str, str | None] | None = None) -> str:
    return with_query(_ROOT.get() + path, query or {})


def _case(image_id: str) -> str:
    return f"{CASES}/{quote(image_id, safe='')}"

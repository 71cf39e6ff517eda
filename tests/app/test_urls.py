import pytest

from app import urls


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (urls.explain(), "/explain"),
        (urls.explain(sample="hair", target="mel", against="nv"), "/explain?sample=hair&target=mel&against=nv"),
        (urls.cases(), "/cases"),
        (urls.cases(diagnosis="mel", predicted="nv"), "/cases?diagnosis=mel&predicted=nv"),
        (urls.case("ISIC_0024306"), "/cases/ISIC_0024306"),
        (urls.case("a/b?c", target="mel"), "/cases/a%2Fb%3Fc?target=mel"),
        (urls.metrics(), "/metrics"),
        (urls.confusion(normalise="row"), "/confusion?normalise=row"),
        (urls.pair("mel", "nv"), "/pair/mel/nv"),
    ],
)
def test_addresses(address: str, expected: str) -> None:
    assert address == expected


def test_a_json_twin_has_the_same_path_and_query() -> None:
    assert urls.json_twin(urls.confusion(normalise="row")) == "/api/confusion?normalise=row"


@pytest.mark.parametrize("search", ["", "?", None])
def test_no_query(search: str | None) -> None:
    assert urls.parse_query(search) == {}


def test_a_query_comes_back_as_it_was_put_in() -> None:
    query = {"site": "lower extremity", "text": "a&b=c?d/é"}
    address = urls.with_query("/cases", {**query, "unset": None})
    assert urls.parse_query(address.removeprefix("/cases")) == query


def test_under_a_model_every_address_starts_with_its_root() -> None:
    with urls.under(urls.model_root("my model")):
        assert urls.home() == "/models/my%20model/"
        assert urls.case("a", target="mel") == "/models/my%20model/cases/a?target=mel"
        assert urls.case_image("a") == "/models/my%20model/api/cases/a/image"
        assert urls.json_twin(urls.metrics()) == urls.json_twin(urls.METRICS) == "/models/my%20model/api/metrics"
        assert urls.path_in_model(urls.pair("mel", "nv")) == "/pair/mel/nv"
        assert urls.path_in_model("/models/my%20model") == urls.HOME
    assert urls.home() == "/"


def test_the_query_of_an_address() -> None:
    assert urls.search_of(urls.confusion(normalise="row")) == "?normalise=row"
    assert urls.search_of(urls.confusion()) == ""

import pytest

from app.method_list import method_list, names_in_address
from explain.attribution import ExplanationError
from explain.methods import METHODS


def test_methods_are_named_with_commas_each_once() -> None:
    assert method_list("lime, gradcam,lime") == ["lime", "gradcam"]
    assert method_list("all") == list(METHODS)


@pytest.mark.parametrize("text", ["", "lime,", "lime,all", "tea"])
def test_what_is_no_method_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(ExplanationError, match=r"There is no method '.*'\. Choose from all, gradcam"):
        method_list(text)


def test_an_address_means_a_plus_where_it_has_a_space() -> None:
    assert names_in_address("gradcam  ,tea,,tea") == ["gradcam++", "tea"]

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.context import Context
from app.pages import PAGES, render
from app.server import create_app
from model.bundle import BundleError, ModelBundle, load_bundle
from model.cases import DataError
from tests.app.two_folds import two_folds


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/explain", 200), ("/cases/ISIC_0024306", 200), ("/no/such/page", 404)]
)
def test_every_address_gives_the_dashboard_with_its_styles(bundle: ModelBundle, path: str, status: int) -> None:
    """Also at the first request, whatever its address: Dash alone collects its assets only at "/"."""
    with TestClient(create_app(bundle.path)) as client:
        answer = client.get(path)
        assert answer.status_code == status
        styles = re.findall(r'href="(/assets/[^"]+\.css[^"]*)"', answer.text)
        assert any("style.css" in style for style in styles)
        assert client.get(styles[0]).status_code == 200


def test_the_document_names_no_other_host(client: TestClient) -> None:
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', client.get("/").text)


def test_every_page_keeps_the_pages_protocol() -> None:
    for page in PAGES.values():
        assert all(callable(getattr(page, name)) for name in ("layout", "register_callbacks", "register_api"))


def test_an_unknown_address_says_so(bundle: ModelBundle) -> None:
    assert "There is no such page" in str(render(Context(bundle), "/no/such/page", {}))


def test_the_explain_page_takes_its_state_from_its_address(bundle: ModelBundle) -> None:
    page = render(Context(bundle), "/explain", {"sample": "hair", "target": "mel", "against": "tea"})
    assert page["explain-query"].data["sample"] == "hair"
    assert page["explain-target"].value == "mel"
    assert page["explain-against"].value is None


def test_who_predicts_is_in_the_address_and_a_lonely_model_has_no_ensemble(bundle: ModelBundle, tmp_path: Path) -> None:
    query = {"tta": "1", "ensemble": "1"}
    page = render(Context(load_bundle(two_folds(bundle, tmp_path / "two"))), "/explain", query)
    assert (page["explain-tta"].checked, page["explain-ensemble"].checked) == (True, True)
    assert page["explain-ensemble"].label == "Ensemble of 2 folds"
    alone = render(Context(load_bundle(two_folds(bundle, tmp_path / "one", count=1))), "/explain", query)
    assert (alone["explain-ensemble"].checked, alone["explain-ensemble"].disabled) == (False, True)
    assert "no other folds" in alone["explain-ensemble"].description


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: object) -> None:
    with pytest.raises(BundleError):
        create_app(str(tmp_path))


def test_a_data_set_that_is_not_there_is_refused(bundle: ModelBundle) -> None:
    with pytest.raises(DataError, match="/no/such does not exist"):
        create_app(bundle.path, "/no/such")

"""An audit in the list of models: its cases on every page that shows cases, with their image quality."""

import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from analysis.audit_manifest import AuditError
from app import model_choice
from app.context import Context
from app.model_choice import AUDIT, select, selectable, with_audit
from app.pages import render
from app.server import create_app
from model.bundle import ModelBundle, folds, load_bundle
from tests.analysis.predicted_audit import SCALE, SIDE, predicted_table, write_predicted_audit
from tests.app.two_folds import two_folds

ROOT = f"/models/{AUDIT}"
API = f"{ROOT}/api"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_predicted_audit(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def client(bundle: ModelBundle, folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(bundle.path, audit_path=folder)) as client:
        yield client


@pytest.fixture(scope="module")
def context(bundle: ModelBundle, folder: Path) -> Context:
    return audited(bundle, folder)


def audited(bundle: ModelBundle, folder: Path, data: Path | None = None) -> Context:
    choices = with_audit(selectable(bundle), folder)
    return Context(choices[AUDIT].bundle, data, audit=choices[AUDIT].audit, models=choices)


def test_it_is_one_more_choice_by_what_it_is(client: TestClient, context: Context) -> None:
    listed = {model["name"]: model for model in client.get("/api/models").json()}
    assert listed[AUDIT]["address"] == f"{ROOT}/"
    assert listed[AUDIT]["audit"] == {
        "cases": 16,
        "models": ["made_up_fold0", "made_up_fold1"],
        "out_of_fold": True,
    }
    assert not any(model["audit"] for name, model in listed.items() if name != AUDIT)
    assert [model["name"] for model in client.get(f"{API}/models").json() if model["shown"]] == [AUDIT]
    chosen = select(context)
    assert chosen.value == f"{ROOT}/"
    assert chosen.data[-1]["label"] == "All two folds, out-of-fold (16 cases)"


def test_the_audit_of_one_model_is_called_after_it(bundle: ModelBundle, tmp_path: Path) -> None:
    write_predicted_audit(tmp_path, models=[("tea", "0" * 64)], out_of_fold=False)
    assert select(audited(bundle, tmp_path)).data[-1]["label"] == "Audit of tea (16 cases)"


def test_the_same_pages_show_its_cases_instead_of_the_test_part(client: TestClient, context: Context) -> None:
    rows = render(context, "/cases", {})["cases-grid"].rowData
    assert [row["image_id"] for row in rows] == list(predicted_table()["image_id"])
    assert "16 images of 8 lesions" in str(render(context, "/metrics", {}))
    assert client.get(f"{API}/metrics").json()["cases"] == 16
    matrix = np.array(client.get(f"{API}/confusion").json()["matrix"])
    assert matrix.sum() == 16
    assert client.get(f"{API}/pair/mel/nv").json()["cases"] == 8
    assert client.get("/api/metrics").json()["cases"] != 16


@pytest.mark.parametrize("path", ["/cases", "/cases/ISIC_9000000", "/metrics", "/confusion", "/pair/mel/nv"])
def test_every_page_says_what_the_cases_are(context: Context, path: str) -> None:
    page = str(render(context, path, {}))
    assert "An audit of 16 cases, each predicted by the one of 2 models that has not seen its lesion" in page


def test_cases_that_the_model_has_learnt_are_owned_up_to(bundle: ModelBundle, tmp_path: Path) -> None:
    table = predicted_table()
    table["seen"] = [number < 4 for number in range(len(table))]
    write_predicted_audit(tmp_path, table, out_of_fold=False)
    context = audited(bundle, tmp_path)
    assert "It has learnt 4 of them" in str(render(context, "/metrics", {}))
    assert "which has learnt this lesion" in str(render(context, "/cases/ISIC_9000000", {}))


def test_maps_come_from_the_disk_when_a_case_is_asked_for(client: TestClient, context: Context) -> None:
    assert "gradcam" not in context.results.table
    maps = client.get(f"{API}/cases/ISIC_9000003").json()["gradcam"]
    kept = np.float32(predicted_table()["gradcam"][3]) * SCALE
    np.testing.assert_allclose([maps[code] for code in sorted(maps)], kept.reshape(-1, SIDE, SIDE))
    layer = client.get(f"{API}/cases/ISIC_9000003/heatmap.png", params={"target": "mel", "against": "nv"})
    assert layer.headers["content-type"] == "image/png"
    assert client.get(f"{API}/cases/ISIC_0024306").json()["detail"] == "ISIC_0024306 is not in this audit."


def test_the_pair_s_own_margin_is_that_of_calibrated_logits(context: Context) -> None:
    card = context.bundle.card
    priors = dict(zip(card.classes, card.class_prior, strict=True))
    assert context.results.pair_threshold("mel", "nv") == pytest.approx(np.log(priors["mel"] / priors["nv"]))


def test_calibration_starts_from_the_logits_as_they_are_stored(client: TestClient) -> None:
    """At temperature 1 the cases of temperature 2 are said with more confidence than after scaling."""
    calibration = client.get(f"{API}/metrics").json()["calibration"]
    before, after = (np.mean([one["probability"] for one in calibration[name]["bins"]]) for name in ("before", "after"))
    assert before > after


QUERY = {"artefacts": "ink", "no_artefacts": "hair"}
CHOSEN = ["ISIC_9000000", "ISIC_9000002"]


def test_artefacts_in_the_address_choose_cases_in_grid_json_and_csv(client: TestClient, context: Context) -> None:
    page = render(context, "/cases", QUERY)
    rows = page["cases-grid"].rowData
    assert [row["image_id"] for row in rows] == CHOSEN
    assert rows[0]["href"].endswith("?artefacts=ink&no_artefacts=hair")
    assert {row["artefacts"] for row in rows} == {"ink"}
    assert (page["cases-artefacts"].value, page["cases-no_artefacts"].value) == (["ink"], ["hair"])
    assert "Here 2: with ink, without hair." in str(page["cases-sentence"])
    assert "ink (8 of 12 finds right" in str(page)
    assert [case["image_id"] for case in client.get(f"{API}/cases", params=QUERY).json()["cases"]] == CHOSEN
    table = pd.read_csv(io.StringIO(client.get(f"{API}/cases.csv", params=QUERY).text))
    assert list(table["image_id"]) == CHOSEN
    assert table["ink"].to_list() == pytest.approx([0.004, 0.004])


def test_artefacts_are_asked_of_the_cases_of_audits_alone(client: TestClient, bundle: ModelBundle) -> None:
    assert client.get("/api/cases", params=QUERY).status_code == 422
    plain = Context(bundle)
    assert "known of an audit" in str(render(plain, "/cases", QUERY))
    page = render(plain, "/cases", {})
    assert "artefacts" not in {column["field"] for column in page["cases-grid"].columnDefs}
    assert client.get(f"{API}/cases", params={"artefacts": "tattoo"}).status_code == 422


def test_a_case_s_image_quality_in_words(context: Context) -> None:
    page = str(render(context, "/cases/ISIC_9000001", {}))
    assert "yes: 0.40 %, threshold 0.15 %" in page
    assert "yes: 3.00 %, threshold 0.40 %" in page
    assert "no: under 6 marks" in page
    assert "Detectors to doubt, by 100 images checked by eye: ink (8 of 12 finds right" in page
    assert "Detectors to doubt" not in str(render(context, "/cases/ISIC_9000007", {}))


def test_figures_by_image_quality(client: TestClient, context: Context) -> None:
    page = str(render(context, "/metrics", {}))
    assert "With ink 66.7 % of naevi are called melanoma" in page
    assert "No image is found to show any." in page
    assert "/cases?artefacts=ink" in page
    ink = client.get(f"{API}/metrics").json()["image_quality"][-1]
    assert (ink["name"], ink["present"]["cases"], ink["detection"]["right"]) == ("ink", 3, 8)
    table = pd.read_csv(io.StringIO(client.get(f"{API}/metrics/image_quality.csv").text))
    assert list(table[table["artefact"] == "ink"]["naevi_called_melanoma"]) == pytest.approx([2 / 3, 0, 2 / 3])
    assert client.get("/api/metrics").json()["image_quality"] == []
    assert client.get("/api/metrics/image_quality.csv").status_code == 404


def test_explaining_a_case_leads_to_the_fold_that_predicted_it(bundle: ModelBundle, tmp_path: Path) -> None:
    first = two_folds(bundle, tmp_path / "models")
    members = [load_bundle(path) for path in folds(first)]
    table = predicted_table()
    table["model"] = [members[number % 2].card.name for number in range(len(table))]
    models = [(one.card.name, one.weights_digest, one.digest) for one in members]
    write_predicted_audit(tmp_path / "audit", table, models=models)
    context = audited(load_bundle(first), tmp_path / "audit")
    context.__dict__["image_paths"] = {image_id: Path("nowhere.jpg") for image_id in table["image_id"]}
    assert "'/explain?case=ISIC_9000000'" in str(render(context, "/cases/ISIC_9000000", {}))
    other = f"'/models/{members[1].path.name}/explain?case=ISIC_9000001'"
    assert other in str(render(context, "/cases/ISIC_9000001", {}))


def test_explained_is_by_a_model_that_made_the_audit(bundle: ModelBundle, tmp_path: Path) -> None:
    first = two_folds(bundle, tmp_path / "models")
    second = load_bundle(folds(first)[1])
    write_predicted_audit(tmp_path / "audit", models=[(second.card.name, second.weights_digest, second.digest)])
    assert audited(load_bundle(first), tmp_path / "audit").bundle.path == second.path
    write_predicted_audit(tmp_path / "other", models=[(second.card.name, second.weights_digest, "of other classes")])
    assert audited(load_bundle(first), tmp_path / "other").bundle.path == first


@pytest.mark.parametrize("path", ["/explain", "/card"])
def test_pages_about_one_model_name_it(context: Context, path: str) -> None:
    assert f"This page is about {context.bundle.card.name}, which explains" in str(render(context, path, {}))
    assert "This page is about" not in str(render(Context(context.bundle), path, {}))


def test_an_audit_of_other_classes_is_refused_at_the_door(bundle: ModelBundle, tmp_path: Path) -> None:
    write_predicted_audit(tmp_path, classes=("benign", "mel"))
    with pytest.raises(AuditError, match="Serve a model of the same classes"):
        create_app(bundle.path, audit_path=tmp_path)


def test_a_damaged_shipped_audit_is_left_out_and_the_log_says_why(
    bundle: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_predicted_audit(tmp_path)
    monkeypatch.setattr(model_choice, "SHIPPED_AUDIT", tmp_path)
    models = selectable(bundle)
    assert list(with_audit(models)) == [*models, AUDIT]
    (tmp_path / "part-00001.parquet").unlink()
    with caplog.at_level(logging.WARNING):
        assert list(with_audit(models)) == list(models)
    assert "not finished: 1 of 2 parts" in caplog.text


def test_without_an_audit_its_address_says_how_to_make_one(bundle: ModelBundle) -> None:
    plain = Context(
        bundle, models={name: choice for name, choice in with_audit({"only": bundle}).items() if name != AUDIT}
    )
    page = str(render(plain, f"{ROOT}/cases", {}))
    assert "There is no audit here" in page
    assert "lesionlens audit --data PATH --out-of-fold --out model/predictions/audit" in page


def test_an_audit_damaged_while_it_is_shown_says_so(bundle: ModelBundle, tmp_path: Path) -> None:
    context = audited(bundle, write_predicted_audit(tmp_path))
    (tmp_path / "part-00001.parquet").write_bytes(b"PAR1 and no more")
    for path in ("/cases", "/cases/ISIC_9000000", "/metrics", "/confusion", "/pair/mel/nv"):
        page = str(render(replace(context), path, {}))
        assert "This audit cannot be shown" in page
        assert "Delete the damaged part" in page
    with TestClient(create_app(bundle.path, audit_path=write_predicted_audit(tmp_path / "again"))) as client:
        (tmp_path / "again" / "part-00001.parquet").unlink()
        answer = client.get(f"{API}/cases")
    assert answer.status_code == 404
    assert "has 8 rows and should have 16" in answer.json()["detail"]

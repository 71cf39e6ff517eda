"""Explanations: the page sets the controls apart, says where they win, and how to fill it."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from analysis.audit_manifest import MANIFEST_FILE
from analysis.bootstrap import Estimate
from analysis.explanations import COMMAND, Explanations, read_explanations
from analysis.sanity import MethodSanity
from app.context import Context
from app.pages import explanations, render
from model.bundle import ModelBundle
from tests.analysis.measured_audit import WORTH, write_measured_audit


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Explanations:
    read = read_explanations(write_measured_audit(tmp_path_factory.mktemp("explanations")))
    assert read is not None
    return read


def client(bundle: ModelBundle, found: Explanations | None) -> TestClient:
    context = Context(bundle)
    context.__dict__["explanations"] = found  # a cached property
    server = FastAPI()
    explanations.register_api(server, context)
    return TestClient(server)


def test_the_page_says_where_a_control_beats_a_method(found: Explanations) -> None:
    page = str(explanations.page(found))
    assert "Of 2 methods 1 find what moves the network better than the best control, and 1 do so worse" in page
    assert "the control Centred Gaussian beats LIME" in page
    assert "beaten by Centred Gaussian" in page
    assert "does not know the network" in page


def test_the_stages_of_randomisation_are_shown_with_both_correlations(found: Explanations) -> None:
    estimates = (Estimate(0.8, 0.7, 0.9), Estimate(0.2, 0.1, 0.3))
    sanity = MethodSanity(("logits", "6 × 6"), estimates, estimates[::-1], ("phantom naevus", *"abcdefgh"))
    page = str(explanations.page(replace(found, methods=(replace(found.methods[0], sanity=sanity),))))
    assert '<th scope="col">6 × 6</th>' in page
    assert "absolute 0.80" in page
    assert "over 9 images of different lesions, 1 of them drawn by a computer" in page
    assert "fails +0.80 (+0.70 to +0.90)" in page
    assert "layer by layer" not in str(explanations.page(found))


def test_the_agreement_of_every_two_methods_is_a_table(found: Explanations) -> None:
    page = str(explanations.page(found))
    assert "Do methods agree on which regions count?" in page
    assert page.count("color-mix(in srgb, var(--accent)") == len(WORTH) * (len(WORTH) - 1)
    assert "Do methods agree" not in str(explanations.page(replace(found, agreement={})))


def test_milliseconds_are_those_of_a_machine(found: Explanations) -> None:
    assert "milliseconds on a fast processor, 2 cores" in str(explanations.page(found))


def test_the_figure_has_methods_and_controls(found: Explanations) -> None:
    methods, controls = explanations.page(found)["explanations-faithfulness"].figure.data
    assert list(methods.y) == ["Grad-CAM", "LIME"]
    assert list(controls.y) == ["Centred Gaussian", "Random"]


def test_without_figures_the_page_names_the_command() -> None:
    page = str(explanations.page(None))
    assert explanations.QUESTION in page
    assert COMMAND in page


def test_a_damaged_audit_is_said(bundle: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (write_measured_audit(tmp_path) / MANIFEST_FILE).write_text("{}")
    monkeypatch.setattr("app.context.read_explanations", lambda: read_explanations(tmp_path))
    assert "is not the manifest of an audit" in str(render(Context(bundle), "/explanations", {}))


def test_json_twin_and_csv(bundle: ModelBundle, found: Explanations) -> None:
    asked = client(bundle, found)
    answer = asked.get("/api/explanations").json()
    assert {one["method"] for one in answer["methods"]} == set(WORTH)
    assert len(answer["statements"]) == 3
    rows = pd.read_csv(io.StringIO(asked.get("/api/explanations/explanations.csv").text))
    assert list(rows["method"]) == ["gradcam", "lime", "gaussian", "random"]


def test_without_figures_the_twins_name_the_command(bundle: ModelBundle) -> None:
    answer = client(bundle, None).get("/api/explanations")
    assert answer.status_code == 404
    assert COMMAND in answer.json()["detail"]

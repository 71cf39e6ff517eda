"""The model card says the same on the command line, in Markdown, in JSON and on the dashboard."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient

import model.bundle
from analysis.cross_validation import FIGURES_FILE, cross_validation
from analysis.predictions import PredictionsError
from app.card_sections import failures, markdown, sections
from app.cli import main
from app.confirmations import CONFIRMATIONS
from app.context import Context
from app.jsonable import jsonable
from app.model_card import model_card, shipped_cross_validation
from app.pages import render
from model.bundle import ModelBundle, load_bundle
from model.metadata import write_fusion
from tests.analysis.folds import fold_bundles
from tests.analysis.test_metadata_gain import fusion
from tests.app.figure_pages import without_predictions

TITLES = {
    "Intended use",
    "Data and licence",
    "Split",
    "Training",
    "By age, sex, site and way of confirmation",
    "Known failures",
    "Calibration",
}


@pytest.fixture(scope="module")
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[ModelBundle], Path]:
    """Five made-up folds, and the folder with their cross-validation as `make figures` writes it."""
    folder = tmp_path_factory.mktemp("shipped")
    bundles = fold_bundles(folder)
    for one in bundles:
        write_fusion(one.path, fusion(0.5))
    (folder / FIGURES_FILE).write_text(json.dumps(jsonable(cross_validation(bundles))))
    return bundles, folder


def test_the_command_prints_every_section(bundle: ModelBundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", str(bundle.path), "--markdown"]) == 0
    printed = capsys.readouterr().out
    assert {f"## {title}" for title in TITLES} <= set(printed.splitlines())
    assert f"# Model card: {bundle.card.name}" in printed
    assert "lesionlens train --data ham10000 --network efficientnet_lite0" in printed
    assert "CC BY-NC 4.0" in printed
    assert "not for diagnosis" in printed


def test_the_melanomas_called_naevi_are_those_of_the_predictions(
    bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", str(bundle.path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    table = pd.read_parquet(bundle.predictions_path)
    card = model_card(bundle)
    if card.cross_validation is None:
        melanomas = table[table["diagnosis"] == "mel"]
        assert answer["performance"]["melanomas_called_naevi"] == (melanomas["predicted"] == "nv").sum()
        assert answer["performance"]["cases"] == len(table)
    assert answer["metrics"]["cases"] == len(table)
    assert answer["card"]["name"] == bundle.card.name


def test_every_group_is_in_the_card(bundle: ModelBundle) -> None:
    printed = markdown(model_card(bundle))
    table = pd.read_parquet(bundle.predictions_path)
    for site in table["site"].unique():
        assert f"| Site: {site}" in printed
    for confirmation in table["confirmation"].unique():
        assert f"| Confirmation: {CONFIRMATIONS[confirmation]}" in printed


def test_the_cost_of_training_is_told_where_it_is_known(bundle: ModelBundle) -> None:
    def told(hours: float | None) -> str:
        card = replace(bundle.card, training={**bundle.card.training, "cpu_hours": hours})
        return markdown(model_card(ModelBundle(bundle.path, card)))

    assert "Cost of training: 12.3 CPU hours." in told(12.34)
    assert "Cost of training: not recorded." in told(None)


def test_a_bundle_without_predictions_has_a_card_without_figures(bundle: ModelBundle, tmp_path: Path) -> None:
    bare = without_predictions(bundle, tmp_path).bundle
    card = model_card(ModelBundle(bare.path, replace(bare.card, metrics={}, training={"imported_from": "m.h5"})))
    printed = markdown(card)
    assert "Not measured" in printed
    assert "Brought from a Keras file, m.h5" in printed
    assert "Known failures" not in printed
    assert "lesionlens train" not in printed


def test_page_and_json_are_those_of_the_model(
    client: TestClient, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    page = str(render(context, "/card", {}))
    for section in sections(context.model_card):
        assert section.title in page
    assert context.model_card.performance is not None
    assert failures(context.model_card.performance)[0] in page
    answer = client.get("/api/card").json()
    assert answer == jsonable(context.model_card)
    assert client.get("/api/card.md").text == markdown(context.model_card) + "\n"


def test_a_shipped_fold_shows_the_recipe_out_of_fold(
    shipped: tuple[list[ModelBundle], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundles, folder = shipped
    assert shipped_cross_validation(bundles[0], folder) is None  # not among the shipped ones
    monkeypatch.setattr(model.bundle, "DEFAULT_BUNDLE", bundles[0].path)
    card = model_card(load_bundle(bundles[2].path), folder)
    assert card.cross_validation is not None
    assert card.performance == card.cross_validation.performance
    assert jsonable(card.cross_validation) == jsonable(cross_validation(bundles))
    printed = markdown(card)
    assert "## Figures of the recipe, out-of-fold" in printed
    assert "| Melanoma sensitivity at 90 % specificity |" in printed
    assert "| With age, sex and site |" in printed


def test_a_damaged_cross_validation_is_named(
    shipped: tuple[list[ModelBundle], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundles, _ = shipped
    monkeypatch.setattr(model.bundle, "DEFAULT_BUNDLE", bundles[0].path)
    (tmp_path / FIGURES_FILE).write_text('{"figures": 1}')
    with pytest.raises(PredictionsError, match="make figures"):
        shipped_cross_validation(load_bundle(bundles[0].path), tmp_path)


def test_evaluate_pools_the_folds_beside_a_bundle(
    shipped: tuple[list[ModelBundle], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    bundles, folder = shipped
    assert main(["evaluate", "--model", str(bundles[1].path), "--out-of-fold", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((folder / FIGURES_FILE).read_text())
    assert main(["evaluate", "--model", str(bundles[1].path), "--out-of-fold", "--markdown"]) == 0
    printed = capsys.readouterr().out
    assert "| Balanced accuracy, mean of the folds |" in printed
    assert "1,000 images of" in printed
    assert main(["evaluate", "--model", str(bundles[1].path), "--out-of-fold", "--tta"]) == 2
    assert "--out-of-fold reads what lies in the bundles" in capsys.readouterr().err


def test_evaluate_needs_all_folds(bundle: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = without_predictions(bundle, tmp_path).bundle
    assert main(["evaluate", "--model", str(alone.path), "--out-of-fold"]) == 2
    assert "one each; there are 0" in capsys.readouterr().err


def test_metrics_shows_calibration_of_all_folds_or_of_the_model(
    shipped: tuple[list[ModelBundle], Path], monkeypatch: pytest.MonkeyPatch, bundle: ModelBundle
) -> None:
    bundles, folder = shipped
    monkeypatch.setattr(model.bundle, "DEFAULT_BUNDLE", bundles[0].path)
    context = Context(load_bundle(bundles[0].path))
    context.__dict__["cross_validation"] = shipped_cross_validation(context.bundle, folder)
    pooled = render(context, "/metrics", {})
    own = render(context, "/metrics", {"calibration": "test"})
    assert pooled["metrics-calibration"].value == "out-of-fold"
    assert own["metrics-calibration"].value == "test"
    assert "1,000 images, each said by the one of 5 models" in str(pooled)
    assert "fold 4 1.200" in str(own)
    counts = [
        sum(point[0] for point in page["metrics-calibration-after"].figure.data[1].customdata) for page in (pooled, own)
    ]
    assert counts == [1000, len(pd.read_parquet(bundles[0].predictions_path))]


def test_metrics_of_a_lone_model_shows_its_own_calibration(context: Context, client: TestClient) -> None:
    page = render(context, "/metrics", {})
    before = page["metrics-calibration-before"].figure.data[1]
    after = page["metrics-calibration-after"].figure.data[1]
    assert list(before.x) != list(after.x)
    answer = client.get("/api/metrics?calibration=test").json()["calibration"]
    assert answer["after"] == jsonable(context.results.calibration.after)
    assert answer["before"]["error"]["value"] != answer["after"]["error"]["value"]

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from analysis import segmentation_quality
from analysis.attention import attention, attention_ratios
from analysis.predictions import COMMITTED, PredictionsError
from app.commands import localisation
from model.bundle import SHIPPED, ModelBundle, load_bundle
from model.cases import DataError, load_cases
from model.classes import CODES
from tests.analysis.predicted_audit import MODELS, predicted_table, write_predicted_audit
from tests.model.data_sets import write_ham10000


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    localisation.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["localisation", *map(str, arguments)])
    status: int = parsed.run(parsed)
    return status


def test_the_figures_stand_beside_the_published_ones_and_are_kept(
    bundle: ModelBundle,
    ham10000: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(segmentation_quality.segmentation_quality, "__defaults__", (1, None))
    assert run("--data", ham10000, "--model", bundle.path, "--save", tmp_path) == 0
    printed = capsys.readouterr().out
    assert "| others |" in printed
    assert "| 0.32 |" in printed
    kept = localisation.kept_figures(tmp_path / localisation.MODEL_FILE)
    assert localisation.markdown(kept) in printed
    assert kept.attention.models == {bundle.card.name: bundle.weights_digest}
    assert kept.attention.ratios["akiec"].low < kept.attention.ratios["akiec"].value
    assert kept.segmentation is not None
    assert kept.segmentation.cases == 7


def test_all_cases_of_an_audit_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_ham10000(tmp_path / "data")
    cases = load_cases(data)
    table = predicted_table()
    table["image_id"] = cases["image_id"].iloc[: len(table)].to_list()
    folder = write_predicted_audit(tmp_path / "audit", table)
    assert run("--data", data, "--audit", folder, "--json", "--save", tmp_path) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / localisation.AUDIT_FILE).read_text() == printed.rstrip("\n") + "\n"
    found = json.loads(printed)["attention"]
    assert list(found["models"]) == list(MODELS)
    assert found["cases"] == len(table)
    unscaled = table.assign(gradcam=[steps.astype(np.float32) for steps in table["gradcam"]])
    expected = attention(attention_ratios(unscaled, cases, CODES))
    for name in ("akiec", "others"):
        assert found["ratios"][name]["value"] == pytest.approx(expected[name].value)
    assert run("--data", data, "--audit", folder) == 0
    assert "16 audited cases of made_up_fold0, made_up_fold1" in capsys.readouterr().out
    monkeypatch.setattr("analysis.predictions.check_kept_data", lambda *_: None)
    with pytest.raises(PredictionsError, match="keeps the figures of the shipped audit"):
        run("--data", data, "--audit", folder, "--save")


def test_an_audit_of_other_images_is_refused(tmp_path: Path) -> None:
    folder = write_predicted_audit(tmp_path / "audit")
    with pytest.raises(DataError, match="masks of no case of the audit"):
        run("--data", write_ham10000(tmp_path / "data"), "--audit", folder)


def test_the_committed_figures_are_of_the_shipped_weights() -> None:
    for name in (localisation.MODEL_FILE, localisation.AUDIT_FILE):
        models = localisation.kept_figures(COMMITTED / name).attention.models
        assert models == {name: load_bundle(SHIPPED / name).weights_digest for name in models}


def test_a_data_set_without_masks_is_refused(bundle: ModelBundle, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no lesion masks"):
        run("--data", write_ham10000(tmp_path / "data", masks=False), "--model", bundle.path)


def test_the_committed_figures_are_not_replaced_by_another_data_set_s(bundle: ModelBundle, tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="by --save DIR"):
        run("--data", write_ham10000(tmp_path / "data"), "--model", bundle.path, "--save")

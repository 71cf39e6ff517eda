"""Which explanation to trust: means, intervals over lesions, and plain words where a control wins."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.audit_manifest import MANIFEST_FILE, AuditError
from analysis.audit_measures import VERSION, agreement_column
from analysis.bootstrap import Estimate
from analysis.explanations import Explanations, explanation_figures, read_explanations
from analysis.sanity import SANITY_FILE, MethodSanity, write_sanity
from app.explanation_tables import estimates_table, markdown, statements
from model.bundle import ARCHITECTURE_FILE, ONNX_FILE, WEIGHTS_FILE, Card, ModelBundle, load_bundle, write_card
from tests.analysis.measured_audit import CASES, WORTH, measured_table, write_measured_audit
from tests.explain.linear import QuadrantPredictor

CORRELATIONS = (Estimate(0.4, 0.2, 0.6), Estimate(0.1, -0.1, 0.3))
SANITY = MethodSanity(("logits", "stem"), CORRELATIONS, CORRELATIONS, tuple("abcdefghi"))


@pytest.fixture(scope="module")
def found() -> Explanations:
    return explanation_figures(measured_table(), list(WORTH), "made_up", {"gradcam": SANITY})


def test_methods_come_first_and_the_most_faithful_before_others(found: Explanations) -> None:
    assert [one.method for one in found.methods] == ["gradcam", "lime", "gaussian", "random"]
    assert [one.control for one in found.methods] == [False, False, True, True]
    assert (found.cases, found.lesions) == (CASES, CASES // 2)


def test_a_mean_is_that_of_the_cases_and_its_interval_over_lesions(found: Explanations) -> None:
    table = measured_table()
    faithfulness = table["gradcam_insertion_area"] - table["gradcam_deletion_area"]
    estimate = found.methods[0].faithfulness
    assert estimate.value == pytest.approx(faithfulness.mean())
    assert estimate.low < estimate.value < estimate.high
    of_lesions = faithfulness.groupby(table["lesion_id"]).mean()
    assert estimate.high - estimate.low == pytest.approx(3.92 * of_lesions.std() / len(of_lesions) ** 0.5, rel=0.2)


def test_stability_is_the_least_of_the_three(found: Explanations) -> None:
    assert found.methods[0].stability.value == pytest.approx(0.8)


def test_what_is_not_defined_is_left_out() -> None:
    table = measured_table()
    table.loc[0, "gradcam_inside_mask"] = np.nan
    inside = explanation_figures(table, ["gradcam"], "made_up", {}).methods[0].inside_mask
    assert inside.value == pytest.approx(table["gradcam_inside_mask"].mean())


def test_one_map_off_the_lesion_does_not_rule_the_ratio() -> None:
    table = measured_table()
    ratios = np.linspace(0.1, 0.5, len(table))
    table["gradcam_background_to_lesion"] = np.where(ratios == 0.5, 1e6, ratios)
    table.loc[:1, "gradcam_background_to_lesion"] = np.nan
    found = explanation_figures(table, ["gradcam"], "made_up", {}).methods[0].background_to_lesion
    assert found.value == pytest.approx(np.median(ratios[2:]))
    assert 0.1 < found.low < found.value < found.high < 0.5
    table["gradcam_background_to_lesion"] = np.nan
    assert np.isnan(explanation_figures(table, ["gradcam"], "made_up", {}).methods[0].background_to_lesion.value)


def test_the_agreement_of_two_methods_is_a_mean_over_the_cases(found: Explanations) -> None:
    table = measured_table()
    for one, other in (("gradcam", "lime"), ("random", "gaussian")):
        mean = found.agreement[one][other]
        assert mean == found.agreement[other][one]
        assert mean.value == pytest.approx(table[agreement_column(one, other)].mean())
        assert mean.low < mean.value < mean.high
    older = table.drop(columns=[name for name in table if name.startswith("agreement_")])
    assert explanation_figures(older, list(WORTH), "made_up", {}).agreement == {}


def test_a_control_that_beats_a_method_is_named(found: Explanations) -> None:
    gradcam, lime, gaussian, _ = found.methods
    assert gradcam.faithfulness_against is not None and gradcam.faithfulness_against.better
    assert lime.faithfulness_against is not None and lime.faithfulness_against.beaten
    assert lime.faithfulness_against.control == "gaussian"
    assert gaussian.faithfulness_against is None
    faithfulness, mean_colour, inside = statements(found)
    assert "the control Centred Gaussian beats LIME;" in faithfulness
    assert "; better than the control Centred Gaussian: Grad-CAM" in faithfulness
    assert "the control Centred Gaussian beats LIME" in inside
    assert mean_colour.startswith("Faithfulness with both on the mean colour:")


def test_on_the_mean_colour_both_areas_are(found: Explanations) -> None:
    table = measured_table()
    both = table["gradcam_insertion_area_mean_colour"] - table["gradcam_deletion_area"]
    assert found.methods[0].faithfulness_mean_colour.value == pytest.approx(both.mean())


def test_a_method_as_good_as_a_control_is_not_told_apart() -> None:
    table = measured_table()
    generator = np.random.default_rng(0)
    table["gradcam_insertion_area"] = table["gaussian_insertion_area"] + generator.normal(0, 0.2, len(table))
    table["gradcam_deletion_area"] = table["gaussian_deletion_area"]
    assert (
        "not told apart from the control Centred Gaussian: Grad-CAM"
        in statements(explanation_figures(table, ["gradcam", "gaussian"], "made_up", {}))[0]
    )


def test_the_readme_table_sets_controls_apart(found: Explanations) -> None:
    text = markdown(found)
    assert "| Method | Faithfulness | In the lesion | Sanity | Stability | Milliseconds |" in text
    assert "| *Centred Gaussian* (control) |" in text
    assert "| passes +0.10 (−0.10 to +0.30) |" in text
    assert "A sample of 40 test cases of 20 lesions, made_up." in text


def test_the_table_of_numbers_has_every_end(found: Explanations) -> None:
    table = estimates_table(found).set_index("method")
    assert table.loc["lime", "milliseconds"] == pytest.approx(900)
    assert table.loc["gradcam", "faithfulness_low"] < table.loc["gradcam", "faithfulness_high"]
    assert table.loc["gradcam", "passes_sanity"]
    assert table.loc["gradcam", ["sanity", "sanity_low", "sanity_high"]].to_list() == [0.1, -0.1, 0.3]
    assert np.isnan(table.loc["lime", "sanity"])


def test_sanity_holds_for_the_weights_that_it_was_measured_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.explanations.SHIPPED", tmp_path)
    card = replace(QuadrantPredictor().bundle.card, name="made_up")
    bundle = untouched(tmp_path / "made_up", card, b"weights")
    audit = write_measured_audit(tmp_path / "audit", weights=bundle.weights_digest)
    write_sanity(bundle, "gradcam", SANITY)
    found = read_explanations(audit)
    assert found is not None and found.methods[0].sanity == SANITY and not found.notes

    content = (bundle.path / SANITY_FILE).read_text()
    (bundle.path / SANITY_FILE).write_text(content.replace(bundle.weights_digest, "0" * 64))
    found = read_explanations(audit)
    assert found is not None and found.methods[0].sanity is None
    assert "Sanity was measured on other weights; run lesionlens sanity" in statements(found)[0]

    (bundle.path / SANITY_FILE).write_text("{")
    found = read_explanations(audit)
    assert found is not None and found.methods[0].sanity is None
    assert "`lesionlens sanity` writes; run it again" in statements(found)[0]

    (bundle.path / SANITY_FILE).write_text(content)
    bundle.weights_path.write_bytes(b"other weights")
    found = read_explanations(audit)
    assert found is not None and found.methods[0].sanity is None
    assert "These figures were measured on other weights than made_up has now" in statements(found)[0]


def untouched(folder: Path, card: Card, weights: bytes) -> ModelBundle:
    """A bundle whose network nobody opens."""
    folder.mkdir()
    for name in (ARCHITECTURE_FILE, ONNX_FILE):
        (folder / name).touch()
    (folder / WEIGHTS_FILE).write_bytes(weights)
    write_card(folder, card)
    return load_bundle(folder)


def test_figures_of_older_measures_are_known_for_what_they_are(tmp_path: Path) -> None:
    manifest = write_measured_audit(tmp_path) / MANIFEST_FILE
    manifest.write_text(manifest.read_text().replace(f'"measures_version": {VERSION}', '"measures_version": 1'))
    found = read_explanations(tmp_path)
    assert (
        found is not None and "Methods or measures have changed since these figures were taken" in statements(found)[0]
    )


def test_an_audit_that_is_not_there_is_none_and_a_part_of_one_is_refused(tmp_path: Path) -> None:
    assert read_explanations(tmp_path) is None
    write_measured_audit(tmp_path)
    found = read_explanations(tmp_path)
    assert found is not None and len(found.methods) == len(WORTH)
    (tmp_path / "part-00000.parquet").unlink()
    with pytest.raises(AuditError, match="not finished: 0 of 1"):
        read_explanations(tmp_path)

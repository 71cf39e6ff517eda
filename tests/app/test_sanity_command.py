import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import analysis.sanity
from analysis.bootstrap import Estimate
from analysis.sanity import FEWEST_IMAGES, MethodSanity, read_sanity
from app.commands import sanity
from explain.attribution import ExplanationError
from explain.methods import METHODS
from model.bundle import CARD_FILE, LEARNT_FILE, PREDICTIONS_FILE, ModelBundle, load_bundle, write_card
from tests.model.data_sets import metadata, write_ham10000

ESTIMATES = (Estimate(0.9, 0.8, 0.95), Estimate(-0.04, -0.2, 0.1))
FOUND = MethodSanity(("logits", "6 × 6"), ESTIMATES, ESTIMATES, tuple("abcde"))


@pytest.fixture
def tested(bundle: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle in whose folder may be written, and a test of methods that takes no time."""
    for path in bundle.path.iterdir():
        if path.name != analysis.sanity.SANITY_FILE:
            (tmp_path / path.name).symlink_to(path)
    asked: dict[str, list[str]] = {}

    def found(method: str, bundle: ModelBundle, images: dict[str, np.ndarray], advance: object) -> MethodSanity:
        asked[method] = list(images)
        return FOUND

    monkeypatch.setattr(analysis.sanity, "sanity", found)
    assert (tmp_path / CARD_FILE).is_file()
    return tmp_path


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    sanity.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["sanity", *map(str, arguments)])
    status: int = parsed.run(parsed)
    return status


def test_every_method_is_tested_and_kept_with_the_bundle(tested: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--model", tested) == 0
    assert read_sanity(load_bundle(tested)) == dict.fromkeys(METHODS, FOUND)
    printed = capsys.readouterr().out
    assert "phantom naevus, phantom melanoma" in printed
    assert "| Randomised down to |  | logits | 6 × 6 |" in printed
    assert "| gradcam | passes | +0.90 (+0.80 to +0.95) | −0.04 (−0.20 to +0.10) |" in printed


def test_with_a_data_set_test_cases_are_looked_at_too(
    tested: Path, ham10000: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--model", tested, "--methods", "lime, edges", "--data", ham10000) == 0
    assert list(read_sanity(load_bundle(tested))) == ["lime", "edges"]
    assert capsys.readouterr().out.count("ISIC_") == 7


def test_a_model_of_other_classes_without_predictions_has_cases_of_its_own(
    tested: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    card = load_bundle(tested).card
    (tested / CARD_FILE).unlink()
    write_card(tested, replace(card, classes=("atypical", *card.classes[1:])))
    for name in (PREDICTIONS_FILE, LEARNT_FILE):
        (tested / name).unlink()
    table = metadata()
    data = write_ham10000(
        tmp_path_factory.mktemp("data"), table.assign(dx=table["dx"].replace(card.classes[0], "atypical"))
    )
    assert run("--model", tested, "--methods", "edges", "--data", data) == 0
    assert capsys.readouterr().out.count("ISIC_") == 7


def test_of_two_diagnoses_there_are_more_cases_than_one_each(
    tested: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    (tested / LEARNT_FILE).unlink()
    table = metadata()
    few = table[table["dx"].isin(["mel", "nv"])].assign(lesion_id=table["image_id"])
    data = write_ham10000(tmp_path_factory.mktemp("data"), few)
    assert run("--model", tested, "--methods", "edges", "--data", data) == 0
    assert capsys.readouterr().out.count("ISIC_") == FEWEST_IMAGES


def test_an_unknown_method_is_refused(tested: Path) -> None:
    with pytest.raises(ExplanationError, match="no method 'tea'"):
        run("--model", tested, "--methods", "gradcam,tea")

"""`lesionlens audit`, killed and resumed in every way; out of fold; and what it refuses."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.agreement import agreement
from analysis.audit import audit_cases
from analysis.audit_manifest import AuditError, Manifest, begin_or_resume, read_manifest
from analysis.audit_reader import Audit, open_audit
from analysis.trust import measures
from app.cli import main
from explain import explain
from model.bundle import LEARNT_FILE, ModelBundle, folds, write_card
from model.cases import load_cases
from model.classes import CODES
from model.images import decode, prepare
from model.masks import prepare_mask, read_mask
from model.prediction import Predictor
from tests.app.two_folds import two_folds
from tests.model.data_sets import metadata, write_ham10000

# The phantoms' lesions under names that no lesion of HAM10000 has, which the shipped model has learnt.
CASES = metadata().assign(lesion_id=lambda table: "PHANTOM_" + table["lesion_id"].str[4:])

IN_SMALL_PARTS = """
import sys
import analysis.audit_parts
from app.cli import main

analysis.audit_parts.PART_ROWS = 5
sys.exit(main(sys.argv[1:]))
"""
KILLED_IN_THIRD_PART = """
import os, signal, sys
import analysis.audit_parts
import model.atomic
from app.cli import main

analysis.audit_parts.PART_ROWS = 5
plain = analysis.audit_parts.write_table

def write(path, table):
    if path.name == "part-00002.parquet":
        model.atomic.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
    plain(path, table)

analysis.audit_parts.write_table = write
sys.exit(main(sys.argv[1:]))
"""
# One worker of two dies over its first part, after it has done the work and before there is a file.
KILLED_WORKER = """
import os, signal, sys
from pathlib import Path
import analysis.audit_on_ray
import analysis.audit_parts
from app.cli import main

analysis.audit_parts.PART_ROWS = 5
plain, once = analysis.audit_parts.write_part, Path(sys.argv.pop())

def write_part(part, **more):
    if part.file.name == "part-00002.parquet" and not once.exists():
        once.touch()
        analysis.audit_parts.part_table(part)
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(part, **more)

analysis.audit_on_ray.write_part = write_part
sys.exit(main(sys.argv[1:]))
"""


def audit(data: Path, out: Path, *arguments: str, script: str = IN_SMALL_PARTS, last: tuple[str, ...] = ()) -> int:
    command = [sys.executable, "-c", script, "audit", "--data", str(data), "--out", str(out), *arguments, *last]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    return done.returncode


def rows(folder: Path) -> pd.DataFrame:
    found = open_audit(folder)
    return found.table(found.columns)


def assert_same_rows(folder: Path, expected: Audit) -> None:
    """The same, bit for bit."""
    ours, theirs = rows(folder), rows(expected.folder)
    lists = ["embedding", "gradcam"]
    for column in lists:
        np.testing.assert_array_equal(np.stack(ours[column].to_list()), np.stack(theirs[column].to_list()), column)
    pd.testing.assert_frame_equal(ours.drop(columns=lists), theirs.drop(columns=lists), check_exact=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """21 images of 14 lesions: five parts of five rows."""
    return write_ham10000(tmp_path_factory.mktemp("data"), CASES)


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("audit") / "whole"
    assert audit(data, folder) == 0
    return open_audit(folder)


def test_it_holds_each_case_once_as_the_model_predicts_it(
    uninterrupted: Audit, data: Path, bundle: ModelBundle
) -> None:
    table = rows(uninterrupted.folder)
    cases = load_cases(data).sort_values("image_id")
    assert list(table["image_id"]) == list(cases["image_id"])
    images = np.stack([prepare(decode(Path(path)), bundle.card.size) for path in cases["path"]])
    expected = audit_cases(Predictor(bundle), cases, images)
    for column in ("diagnosis", "predicted", "age"):
        assert list(table[column]) == list(expected[column])
    scores = [name for name in expected if name.startswith(("logit_", "probability_"))]
    np.testing.assert_allclose(table[scores], expected[scores], atol=1e-4)
    assert not table["seen"].any()


def test_maps_are_kept_to_a_254th_of_their_largest_value(uninterrupted: Audit, data: Path, bundle: ModelBundle) -> None:
    case = load_cases(data).iloc[[3]]
    image = prepare(decode(Path(case["path"].iloc[0])), bundle.card.size)[np.newaxis]
    expected = audit_cases(Predictor(bundle), case, image)["gradcam"].iloc[0].reshape(len(bundle.card.classes), -1)
    kept = uninterrupted.maps(case["image_id"].iloc[0])
    assert list(kept) == list(bundle.card.classes)
    differences = np.stack([kept[code].ravel() for code in kept]) - expected
    assert np.abs(differences).max() <= np.abs(expected).max() / 254 + 1e-5


def test_the_embedding_and_what_it_leaves_over_are_those_of_the_novelty_check(
    uninterrupted: Audit, data: Path, bundle: ModelBundle
) -> None:
    assert bundle.novelty_check is not None
    case = load_cases(data).iloc[3]
    image = prepare(decode(Path(case["path"])), bundle.card.size)[np.newaxis]
    (along,), (rest,) = bundle.novelty_check.projected(Predictor(bundle).run(image).embedding)
    kept = uninterrupted.table(["embedding", "embedding_rest"], case["image_id"]).iloc[0]
    np.testing.assert_allclose(np.asarray(kept["embedding"], np.float32), along, atol=1e-3)
    assert kept["embedding_rest"] == pytest.approx(rest, abs=1e-4)


def test_killed_and_resumed_it_has_the_same_rows_and_repeats_no_part(
    uninterrupted: Audit, data: Path, tmp_path: Path
) -> None:
    assert audit(data, tmp_path / "audit", script=KILLED_IN_THIRD_PART) == -signal.SIGKILL
    finished = sorted((tmp_path / "audit").glob("part-*.parquet"))
    assert [path.name for path in finished] == ["part-00000.parquet", "part-00001.parquet"]
    assert list((tmp_path / "audit").glob(".*.part"))
    times = [path.stat().st_mtime_ns for path in finished]
    with pytest.raises(AuditError, match="not finished: 2 of 5 parts"):
        open_audit(tmp_path / "audit")
    assert audit(data, tmp_path / "audit") == 0
    assert [path.stat().st_mtime_ns for path in finished] == times
    assert not list((tmp_path / "audit").glob(".*.part"))
    assert_same_rows(tmp_path / "audit", uninterrupted)


def test_killed_from_outside(uninterrupted: Audit, data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", IN_SMALL_PARTS, "audit", "--data", str(data), "--out", str(tmp_path / "audit")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (tmp_path / "audit" / "part-00000.parquet").exists():
            os.sched_yield()
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert audit(data, tmp_path / "audit") == 0
    assert_same_rows(tmp_path / "audit", uninterrupted)


def test_on_ray_with_a_worker_killed_midway_it_has_the_same_rows(
    uninterrupted: Audit, data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    killed = tmp_path / "killed"
    out = tmp_path / "audit"
    assert audit(data, out, "--ray-address", "local", script=KILLED_WORKER, last=(str(killed),)) == 0
    assert killed.exists()
    assert_same_rows(out, uninterrupted)


def test_each_case_is_predicted_by_the_fold_that_never_saw_its_lesion(
    bundle: ModelBundle, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.audit_parts.PART_ROWS", 5)
    first = two_folds(bundle, tmp_path / "models", count=2)
    known = CASES[["image_id", "lesion_id"]]
    even = known["lesion_id"].str[-1].astype(int) % 2 == 0
    for path, learnt in zip(folds(first), (known[even], known[~even]), strict=True):
        learnt.to_parquet(path / LEARNT_FILE)
    arguments = ["audit", "--model", str(first), "--out-of-fold", "--data", str(data), "--no-image-quality"]
    assert main([*arguments, "--out", str(tmp_path / "audit")]) == 0
    table = rows(tmp_path / "audit").set_index("image_id")
    assert list(table["model"].str.contains("fold1")) == list(even)
    assert not table["seen"].any()
    assert "hair" not in table
    assert len(read_manifest(tmp_path / "audit").models) == 2

    known.to_parquet(folds(first)[1] / LEARNT_FILE)
    assert main([*arguments, "--out", str(tmp_path / "other")]) == 2


def test_learnt_cases_are_marked(bundle: ModelBundle, data: Path, tmp_path: Path) -> None:
    first = two_folds(bundle, tmp_path / "models", count=1)
    learnt = CASES[["image_id", "lesion_id"]].iloc[:1]
    learnt.to_parquet(first / LEARNT_FILE)
    assert main(["audit", "--model", str(first), "--data", str(data), "--out", str(tmp_path / "audit")]) == 0
    table = rows(tmp_path / "audit")
    assert list(table["seen"]) == list(CASES["lesion_id"] == learnt["lesion_id"].iloc[0])


def test_a_sample_has_one_case_a_lesion_and_none_that_was_learnt(
    bundle: ModelBundle, data: Path, tmp_path: Path
) -> None:
    first = two_folds(bundle, tmp_path / "models", count=1)
    CASES[["image_id", "lesion_id"]].iloc[:12].to_parquet(first / LEARNT_FILE)
    arguments = ["audit", "--model", str(first), "--data", str(data), "--sample"]
    assert main([*arguments, "6", "--out", str(tmp_path / "audit")]) == 0
    table = rows(tmp_path / "audit")
    assert table["lesion_id"].nunique() == len(table) == 6
    assert not set(table["lesion_id"]) & set(CASES["lesion_id"].iloc[:12])
    assert main([*arguments, "7", "--out", str(tmp_path / "more")]) == 2


def test_measures_of_every_chosen_method(bundle: ModelBundle, data: Path, tmp_path: Path) -> None:
    arguments = ["audit", "--data", str(data), "--sample", "2", "--out", str(tmp_path / "audit")]
    assert main([*arguments, "--measures", "gradcam,gaussian", "--no-image-quality"]) == 0
    table = rows(tmp_path / "audit")
    cases, predictor = load_cases(data).set_index("image_id"), Predictor(bundle)
    for row in table.to_dict("records"):
        case = cases.loc[row["image_id"]]
        image = prepare(decode(Path(case["path"])), bundle.card.size)
        mask = prepare_mask(read_mask(case["mask_path"]), len(image))
        for method in ("gradcam", "gaussian"):
            found = measures(explain(image, predictor, method, row["predicted"]), image, predictor, mask)
            kept = {name: row[f"{method}_{name}"] for name in found}
            assert kept == pytest.approx(found, rel=1e-3, abs=1e-4, nan_ok=True)
            assert row[f"{method}_milliseconds"] > 0
        assert row["mask_estimated"] == 0
        maps = {method: explain(image, predictor, method, row["predicted"]) for method in ("gradcam", "gaussian")}
        expected = agreement(maps, image).at["gradcam", "gaussian"]
        assert row["agreement_gradcam_gaussian"] == pytest.approx(expected, abs=1e-3)


def test_another_audit_is_refused_by_name(
    uninterrupted: Audit,
    bundle: ModelBundle,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.audit_parts.PART_ROWS", 5)
    into = ["--out", str(uninterrupted.folder)]
    same = ["audit", "--data", str(data), *into]
    assert main([*same, "--sample", "3"]) == 2
    assert "holds another audit: sample None there, 3 here" in capsys.readouterr().err
    assert main([*same, "--no-image-quality"]) == 2
    assert "image_quality True there, False here" in capsys.readouterr().err
    other_data = write_ham10000(tmp_path / "data", CASES.iloc[:20])
    assert main(["audit", "--data", str(other_data), *into]) == 2
    assert "holds another audit: data" in capsys.readouterr().err
    other_model = two_folds(bundle, tmp_path / "models", count=1)
    write_card(other_model, replace(bundle.card, name="other"))
    assert main([*same, "--model", str(other_model)]) == 2
    assert f"model {bundle.card.name}" in capsys.readouterr().err
    for other in ({"temperature": 2 * bundle.card.temperature}, {"classes": bundle.card.classes[::-1]}):
        write_card(other_model, replace(bundle.card, **other))
        assert main([*same, "--model", str(other_model)]) == 2
        assert f"model {bundle.card.name}" in capsys.readouterr().err


def test_a_model_of_other_classes_is_audited_on_its_own_data(
    bundle: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.audit_parts.PART_ROWS", 50)
    model = two_folds(bundle, tmp_path / "models", count=1)
    classes = ("atypical", *bundle.card.classes[1:])
    write_card(model, replace(bundle.card, classes=classes))
    data = write_ham10000(tmp_path / "data", CASES.assign(dx=CASES["dx"].replace(bundle.card.classes[0], "atypical")))
    arguments = ["audit", "--model", str(model), "--data", str(data), "--no-image-quality"]
    assert main([*arguments, "--out", str(tmp_path / "audit")]) == 0
    assert set(rows(tmp_path / "audit")["diagnosis"]) == set(classes)


def test_a_machine_that_goes_on_is_named_beside_the_first(tmp_path: Path) -> None:
    planned = Manifest((), CODES, "0", {}, rows=2, parts=2, columns={}, versions={}, machine="one")
    begin_or_resume(tmp_path, planned)
    other = replace(planned, machine="other")
    begin_or_resume(tmp_path, other)
    begin_or_resume(tmp_path, other)
    assert read_manifest(tmp_path).machine == "one; other"
    for number in range(2):
        (tmp_path / f"part-0000{number}.parquet").touch()
    begin_or_resume(tmp_path, replace(planned, machine="a third"))
    assert read_manifest(tmp_path).machine == "one; other"


def test_what_cannot_be_audited_is_said(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    another_s = tmp_path / "full" / ".checkpoint.npz.1.part"
    another_s.touch()
    asked = ["audit", "--data", str(data), "--out"]
    assert main([*asked, str(tmp_path / "full")]) == 2
    assert "not empty and holds no audit" in capsys.readouterr().err
    assert another_s.exists()
    assert main([*asked, str(tmp_path / "audit"), "--measures", "crystal_ball"]) == 2
    assert "no method 'crystal_ball'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*asked, str(tmp_path / "audit"), "--sample", "0"])
    assert "not a positive number" in capsys.readouterr().err
    with pytest.raises(AuditError, match="There is no audit"):
        open_audit(tmp_path)


def test_only_columns_that_are_there_are_read(uninterrupted: Audit) -> None:
    assert list(uninterrupted.table(["hair", "image_id"]).columns) == ["hair", "image_id"]
    assert uninterrupted.table(["image_id"], "ISIC_0000004")["image_id"].to_list() == ["ISIC_0000004"]
    with pytest.raises(AuditError, match="no column weight"):
        uninterrupted.table(["weight"])
    with pytest.raises(AuditError, match="no case nobody"):
        uninterrupted.maps("nobody")

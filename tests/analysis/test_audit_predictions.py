"""An audit as a table of predictions: complete, on one scale, and refused where it is not what it says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.audit_manifest import AuditError
from analysis.audit_predictions import (
    audit_predictions,
    audited_artefacts,
    in_calibrated_logits,
    open_predictions,
)
from analysis.descriptors import DESCRIPTORS
from analysis.predictions import PredictionsError, margin
from model.classes import CODES
from model.splits import missed_duplicates
from tests.analysis.predicted_audit import TEMPERATURES, WRONG, predicted_table, write_predicted_audit


def read(folder: Path) -> pd.DataFrame:
    return audit_predictions(open_predictions(folder, CODES))


def test_every_case_is_there_once_with_its_prediction_and_no_maps(tmp_path: Path) -> None:
    table = read(write_predicted_audit(tmp_path))
    assert list(table["image_id"]) == list(predicted_table()["image_id"])
    assert list(np.flatnonzero(~table["correct"])) == list(WRONG)
    assert not {"gradcam", "embedding"} & set(table)
    assert table["confidence"].between(0, 1).all()


def test_two_names_of_one_lesion_are_one(tmp_path: Path) -> None:
    known = predicted_table()
    known.loc[[0, 4], "image_id"] = list(missed_duplicates()[0])
    table = read(write_predicted_audit(tmp_path, known))
    assert table["lesion_id"].nunique() == known["lesion_id"].nunique() - 1


def test_margins_are_in_the_logits_that_the_folds_have_in_common(tmp_path: Path) -> None:
    table = read(write_predicted_audit(tmp_path))
    temperatures = np.array(TEMPERATURES)[np.arange(len(table)) % 2]
    calibrated = margin(in_calibrated_logits(table, CODES), "mel", "nv")
    np.testing.assert_allclose(calibrated, margin(table, "mel", "nv") / temperatures, atol=1e-5)


def test_an_audit_without_image_quality_has_no_artefacts(tmp_path: Path) -> None:
    with_quality = write_predicted_audit(tmp_path / "with")
    without = write_predicted_audit(tmp_path / "without", predicted_table().drop(columns=list(DESCRIPTORS)))
    assert audited_artefacts(open_predictions(with_quality, CODES)) == tuple(DESCRIPTORS)
    assert audited_artefacts(open_predictions(without, CODES)) == ()
    assert "hair" not in read(without)


def test_what_is_no_whole_audit_of_these_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"There is no audit in .*`lesionlens audit --data PATH --out .*` makes one"):
        open_predictions(tmp_path, CODES)
    folder = write_predicted_audit(tmp_path / "audit")
    with pytest.raises(AuditError, match=r"is of the classes akiec.*; the model's are benign, mel\. Serve a model"):
        open_predictions(folder, ("benign", "mel"))
    columns = write_predicted_audit(tmp_path / "columns", predicted_table().drop(columns=["seen", "logit_mel"]))
    with pytest.raises(AuditError, match="has no column logit_mel, seen: `lesionlens audit` writes them"):
        open_predictions(columns, CODES)
    (folder / "part-00001.parquet").rename(folder / "part-00000.parquet")
    with pytest.raises(AuditError, match=r"not finished: 1 of 2 parts are there\. The same command goes on"):
        open_predictions(folder, CODES)


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    folder = write_predicted_audit(tmp_path)
    audit = open_predictions(folder, CODES)
    (folder / "part-00001.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(AuditError, match=r"cannot be read \(.*part-00001.*Delete the damaged part"):
        open_predictions(folder, CODES)
    with pytest.raises(PredictionsError, match="Delete the damaged part"):
        audit_predictions(audit)


def test_rows_that_are_not_there_are_missed(tmp_path: Path) -> None:
    folder = write_predicted_audit(tmp_path)
    part = pd.read_parquet(folder / "part-00001.parquet")
    part.iloc[:-1].to_parquet(folder / "part-00001.parquet")
    with pytest.raises(AuditError, match="has 15 rows and should have 16"):
        open_predictions(folder, CODES)

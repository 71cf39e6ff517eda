"""An audit as a table of predictions: what the dashboard's figures are counted from, without maps and embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.audit_manifest import AuditError
from analysis.audit_reader import Audit, open_audit
from analysis.descriptors import DESCRIPTORS
from analysis.predictions import CASE_COLUMNS, COMMITTED, MAP_COLUMN, PredictionsError, annotate, probabilities
from model.splits import with_merged_lesions

SHIPPED_AUDIT = COMMITTED / "audit"
SHIPPED_AUDIT_COMMAND = "lesionlens audit --data PATH --out-of-fold --out model/predictions/audit"


def open_predictions(folder: Path, classes: Sequence[str]) -> Audit:
    """The audit in `folder`, if it holds predictions of `classes`.

    Raises AuditError where there is none, where it is not finished or damaged, where a column is missing, or where its
    classes are others.
    """
    audit = open_audit(folder)
    if audit.manifest.classes != tuple(classes):
        raise AuditError(
            f"The audit in {folder} is of the classes {', '.join(audit.manifest.classes)}; the model's are "
            f"{', '.join(classes)}. Serve a model of the same classes by --model."
        )
    needed = [*_columns(classes), MAP_COLUMN, "gradcam_scale"]
    missing = [name for name in needed if name not in audit.columns]
    if missing:
        raise AuditError(f"The audit in {folder} has no column {', '.join(missing)}: `lesionlens audit` writes them.")
    _check_rows(audit, len(audit.table(["image_id"])))
    return audit


def audited_artefacts(audit: Audit) -> tuple[str, ...]:
    """The descriptors of image quality that the audit holds, by their names in DESCRIPTORS."""
    return tuple(name for name in DESCRIPTORS if name in audit.columns)


def audit_predictions(audit: Audit) -> pd.DataFrame:
    """The audit as `analysis.predictions.read_predictions` gives a table, without maps; ordered by image_id.

    Further columns: `entropy` (nats), `model`, the name of the one that predicted the case, `seen`, whether it had
    learnt the lesion, and the descriptors of image quality where the audit has them. Lesions that are known to be one
    under two names have one lesion_id here. Raises PredictionsError for an audit that cannot be read or contradicts
    itself.
    """
    classes = audit.manifest.classes
    try:
        table = audit.table([*_columns(classes), *audited_artefacts(audit)])
        _check_rows(audit, len(table))
    except AuditError as error:
        raise PredictionsError(str(error)) from error
    table = annotate(table, classes, f"The audit in {audit.folder}", maps=False)
    return with_merged_lesions(table)


def in_calibrated_logits(table: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The same table with the logarithms of the probabilities as logits.

    They differ from logit / temperature by a constant a case, so that their differences, margins, are what models of
    different temperatures, the folds, have in common (`analysis.out_of_fold`).
    """
    logarithms = np.log(np.maximum(probabilities(table, classes), np.finfo(np.float32).tiny))
    return table.assign(**{f"logit_{code}": logarithms[:, index] for index, code in enumerate(classes)})


def _columns(classes: Sequence[str]) -> list[str]:
    scores = [f"{kind}_{code}" for kind in ("logit", "probability") for code in classes]
    return [*CASE_COLUMNS, *scores, "entropy", "model", "seen"]


def _check_rows(audit: Audit, rows: int) -> None:
    if rows != audit.manifest.rows:
        raise AuditError(f"The audit in {audit.folder} has {rows:,} rows and should have {audit.manifest.rows:,}.")

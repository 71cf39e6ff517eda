"""Five bundles of made-up predictions that are one cross-validation; their networks are empty files."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.bundle import (
    ARCHITECTURE_FILE,
    ONNX_FILE,
    PREDICTIONS_FILE,
    WEIGHTS_FILE,
    Card,
    ModelBundle,
    write_card,
)
from model.cases import fingerprint
from model.classes import CODES
from model.prediction import calibrated_probabilities
from tests.analysis.conftest import make_predictions

TEMPERATURES = (1.0, 1.5, 2.0, 0.8, 1.2)


def fold_tables(cases: int = 1000) -> list[pd.DataFrame]:
    """Five parts of made-up predictions by lesion, each calibrated by its own temperature."""
    table = make_predictions(cases)
    number = table["lesion_id"].str[4:].astype(int)
    parts = [table[number % 5 == fold].reset_index(drop=True) for fold in range(5)]
    for part, temperature in zip(parts, TEMPERATURES, strict=True):
        shares = calibrated_probabilities(part[[f"logit_{code}" for code in CODES]].to_numpy(), temperature)
        part[[f"probability_{code}" for code in CODES]] = shares
    return parts


def fold_bundles(folder: Path, tables: list[pd.DataFrame] | None = None, **changed: Any) -> list[ModelBundle]:
    """Write the parts as bundles of folds 0 to 4; `changed` replaces fields of the last one's card."""
    tables = fold_tables() if tables is None else tables
    lesions = int(pd.concat(tables)["lesion_id"].nunique())
    data = {"cases": sum(map(len, tables)), "lesions": lesions, "fingerprint": fingerprint(pd.concat(fold_tables()))}
    bundles = []
    for fold, (table, temperature) in enumerate(zip(tables, TEMPERATURES, strict=True)):
        fields: dict[str, Any] = {
            "name": f"made_up_fold{fold}",
            "network": "lesion_cnn",
            "classes": CODES,
            "size": 64,
            "temperature": temperature,
            "class_prior": tuple(np.full(len(CODES), 1 / len(CODES))),
            "split": {"protocol": "lesion", "fold": fold, "seed": 0, "test": len(table)},
            "data": data,
        }
        card = Card(**(fields | (changed if fold == 4 else {})))
        path = folder / card.name
        path.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path / PREDICTIONS_FILE)
        write_card(path, card)
        for network_file in (ARCHITECTURE_FILE, WEIGHTS_FILE, ONNX_FILE):
            (path / network_file).touch()
        bundles.append(ModelBundle(path, card))
    return bundles

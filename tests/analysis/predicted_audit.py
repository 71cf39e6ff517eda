"""A made-up audit of few cases, as `lesionlens audit --out-of-fold` writes it, for whatever shows audits."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from analysis.audit import write_table
from analysis.audit_manifest import MANIFEST_FILE, AuditedModel, Manifest
from model.classes import CODES

SIDE = 6
SCALE = np.float32(0.5)
MODELS = ("made_up_fold0", "made_up_fold1")
TEMPERATURES = (1.0, 2.0)
ELSEWHERE = "0" * 64
# Image number: the class it is called; the others are called as they are.
WRONG = {0: "mel", 1: "mel", 7: "nv"}
ARTEFACTS = {"dark_corners": 0.02, "hair": 0.03, "ruler": 9.0, "colour_patches": 0.0, "ink": 0.004}
SHOWN = {0: ("ink",), 1: ("ink", "hair"), 2: ("ink",), 3: ("ruler",), 7: ("dark_corners", "hair")}


def predicted_table() -> pd.DataFrame:
    """Sixteen images, six of naevi and two of every other diagnosis but df, two images a lesion; in rows of two models.

    The odd rows' model has a temperature of 2.
    """
    diagnoses = ["nv"] * 6 + [code for code in CODES if code not in ("nv", "df") for _ in range(2)]
    called = [WRONG.get(number, code) for number, code in enumerate(diagnoses)]
    random = np.random.default_rng(0)
    logits = random.normal(0, 0.1, (len(called), len(CODES)))
    logits[np.arange(len(called)), [CODES.index(code) for code in called]] += 4
    temperatures = np.array(TEMPERATURES)[np.arange(len(called)) % 2]
    shares = softmax(logits / temperatures[:, np.newaxis], axis=1)
    table = pd.DataFrame(
        {
            "image_id": [f"ISIC_{9000000 + number}" for number in range(len(called))],
            "lesion_id": [f"MADE_UP_{number // 2}" for number in range(len(called))],
            "diagnosis": diagnoses,
            "confirmation": "histo",
            "age": 50.0,
            "sex": "female",
            "site": "back",
            "predicted": called,
            **{f"logit_{code}": logits[:, index].astype(np.float32) for index, code in enumerate(CODES)},
            **{f"probability_{code}": shares[:, index].astype(np.float32) for index, code in enumerate(CODES)},
            "entropy": np.float32(0.5),
            "model": [MODELS[number % 2] for number in range(len(called))],
            "seen": False,
            "gradcam_scale": SCALE,
            "embedding_rest": np.float32(0.1),
        }
    )
    maps = random.integers(-127, 128, (len(called), len(CODES) * SIDE * SIDE), np.int8)
    table["gradcam"] = pd.Series(list(maps))
    table["embedding"] = pd.Series(list(np.ones((len(called), 2), np.float16)))
    for name, value in ARTEFACTS.items():
        table[name] = [np.float32(value if name in SHOWN.get(number, ()) else 0) for number in range(len(called))]
    return table


def write_predicted_audit(
    folder: Path,
    table: pd.DataFrame | None = None,
    *,
    models: Sequence[tuple[str, ...]] = ((MODELS[0], ELSEWHERE), (MODELS[1], ELSEWHERE)),
    classes: Sequence[str] = CODES,
    out_of_fold: bool = True,
) -> Path:
    """The table, by default `predicted_table`, as an audit of two parts in `folder`; `models` as AuditedModel."""
    table = predicted_table() if table is None else table
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        models=tuple(AuditedModel(*model) for model in models),
        classes=tuple(classes),
        fingerprint="0" * 64,
        parameters={"out_of_fold": out_of_fold},
        rows=len(table),
        parts=2,
        columns={},
        versions={},
    )
    (folder / MANIFEST_FILE).write_text(json.dumps(asdict(manifest)))
    for number in range(2):
        write_table(folder / f"part-{number:05}.parquet", table.iloc[number::2].reset_index(drop=True))
    return folder

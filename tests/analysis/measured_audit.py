"""A made-up audit with measures of two methods and two controls, as `lesionlens audit --measures` writes it."""

import json
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.audit import write_table
from analysis.audit_manifest import MANIFEST_FILE, AuditedModel, Manifest
from analysis.audit_measures import VERSION, agreement_column
from explain.methods import METHODS
from model.classes import CODES

# Method: mean insertion area less deletion area, share in the lesion, milliseconds.
WORTH = {
    "gradcam": (0.5, 0.8, 4.0),
    "lime": (0.1, 0.4, 900.0),
    "random": (0.0, 0.3, 0.1),
    "gaussian": (0.3, 0.6, 0.1),
}
CASES = 40


def measured_table(methods: tuple[str, ...] = tuple(WORTH), cases: int = CASES, seed: int = 0) -> pd.DataFrame:
    """Two images a lesion; the measures are those of WORTH with a little noise."""
    random = np.random.default_rng(seed)
    table: dict[str, object] = {
        "image_id": [f"ISIC_{number:07d}" for number in range(cases)],
        "lesion_id": [f"HAM_{number // 2:07d}" for number in range(cases)],
        "diagnosis": "nv",
        "mask_estimated": np.float32(0),
    }
    for method in methods:
        faithfulness, inside, milliseconds = WORTH.get(method, (0.45 * random.random(), 0.5, 50.0))
        noise = random.normal(0, 0.05, (2, cases))
        columns = {
            "deletion_area": 0.5 - faithfulness / 2 + noise[0],
            "insertion_area": 0.5 + faithfulness / 2,
            "deletion_area_blur": 0.5,
            "insertion_area_mean_colour": 0.5 + faithfulness / 4,
            "deletion_area_contrast": 0.5,
            "insertion_area_contrast": 0.5 + faithfulness,
            "inside_mask": inside + noise[1],
            "pointing": 1.0,
            "background_to_lesion": 1 - inside,
            "border_share": 0.1,
            "lesion_share": 0.25,
            "stability_symmetries": 0.9,
            "stability_brightness": 0.8,
            "stability_seeds": 1.0,
            "milliseconds": milliseconds,
            "evaluations": METHODS[method].evaluations,
        }
        table |= {f"{method}_{name}": np.float32(values) for name, values in columns.items()}
    for number, pair in enumerate(combinations(methods, 2)):
        table[agreement_column(*pair)] = np.float32(number / 10 + random.normal(0, 0.02, cases))
    return pd.DataFrame(table)


def write_measured_audit(folder: Path, methods: tuple[str, ...] = tuple(WORTH), weights: str = "0" * 64) -> Path:
    """An audit of one part in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    table = measured_table(methods)
    manifest = Manifest(
        models=(AuditedModel("made_up", weights),),
        classes=CODES,
        fingerprint="0" * 64,
        parameters={"measures": list(methods), "measures_version": VERSION},
        rows=len(table),
        parts=1,
        columns={},
        versions={},
        machine="a fast processor, 2 cores",
    )
    (folder / MANIFEST_FILE).write_text(json.dumps(asdict(manifest)))
    write_table(folder / "part-00000.parquet", table)
    return folder

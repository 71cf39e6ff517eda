"""An audit's predictions and Grad-CAM maps, from image files to a Parquet part, against the plain forward pass.

The forward pass runs on images that are already decoded, in batches of the same size: `ratio` is the share of its
throughput that the audit keeps. The files are JPEGs of 300 × 225, as the tests' HAM10000 has them; `published_ratio`
is that of 600 × 450, as HAM10000 is published.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from PIL import Image

from analysis.audit import BATCH
from analysis.audit_parts import AuditPart, write_part
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.cases import COLUMNS
from model.images import decode, prepare
from model.phantoms import phantom
from model.prediction import Predictor, batches
from tests.benchmarks.medians import compared, medians

CASES = 256
PHANTOMS = 16
REPEATS = 5


def measure() -> dict[str, object]:
    """Median milliseconds of both for a part of 256 cases."""
    ours, reference = _measured(225, 300)
    published, forward = _measured(450, 600)
    return compared(
        "audit",
        ours,
        reference,
        reference="the forward pass alone",
        images_per_second=round(1000 * CASES / ours),
        forward_images_per_second=round(1000 * CASES / reference),
        published_ratio=round(forward / published, 2),
    )


def _measured(height: int, width: int) -> tuple[float, float]:
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor = Predictor(bundle)
    pictures = [Image.fromarray(phantom(seed, height=height, width=width).image) for seed in range(PHANTOMS)]
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:03}.jpg" for number in range(CASES)]
        for number, path in enumerate(paths):
            pictures[number % PHANTOMS].save(path, quality=85)
        cases = pd.DataFrame(dict.fromkeys(COLUMNS, "unknown"), index=range(CASES)).assign(
            image_id=[path.stem for path in paths], path=[str(path) for path in paths], age=50.0, seen=False
        )
        part = AuditPart(Path(folder) / "part-00000.parquet", bundle.path, cases, quality=False)
        images = np.stack([prepare(decode(path), bundle.card.size) for path in paths])

        def forward() -> None:
            for piece in batches(CASES, BATCH):
                predictor.run(images[piece])

        return medians(lambda: write_part(part), forward, REPEATS)

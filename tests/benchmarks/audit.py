"""An audit's predictions and Grad-CAM maps, from image files to a Parquet part, against the plain forward pass.

The plain forward pass is `Predictor.run` in batches of 32 on images that are already decoded, which asks more of the
audit than the same files would: `ratio` is the share of its throughput that the audit keeps. `from_files_ratio` is that
share where the forward pass, too, starts at the files, one after the other. The audit runs a batch on each core, which
the forward pass could do as well: `same_threads_ratio` is the share where it does, on decoded images. The files are
JPEGs of 300 × 225, as the 10,015 images are for which 0.8 was asked; `published_ratio` is `ratio` for 600 × 450, as
HAM10000 is published, where decoding and scaling alone take a third as long as the forward pass.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from PIL import Image

from analysis.audit_parts import BATCH, PART_ROWS, AuditPart, write_part
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.cases import COLUMNS
from model.images import decode, prepare
from model.machine import usable_cores
from model.phantoms import phantom
from model.prediction import Predictor, batches
from tests.benchmarks.medians import compared, medians

CASES = PART_ROWS
PLAIN_BATCH = 32
PHANTOMS = 16
REPEATS = 5


def measure() -> dict[str, object]:
    """Median milliseconds of both for a whole part."""
    (ours, reference), (again, from_files), (once_more, same_threads) = _measured(225, 300)
    published, forward = _measured(450, 600)[0]
    return compared(
        "audit",
        ours,
        reference,
        must=0.8,
        reference="the forward pass alone, on decoded images",
        images_per_second=round(1000 * CASES / ours),
        forward_images_per_second=round(1000 * CASES / reference),
        from_files_ratio=round(from_files / again, 2),
        same_threads_ratio=round(same_threads / once_more, 2),
        published_ratio=round(forward / published, 2),
    )


def _measured(height: int, width: int) -> list[tuple[float, float]]:
    """Median milliseconds of the audit and of each of the forward passes: decoded, from files, on the same threads."""
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor, single = Predictor(bundle), Predictor(bundle, threads=1)
    pictures = [Image.fromarray(phantom(seed, height=height, width=width).image) for seed in range(PHANTOMS)]
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:03}.jpg" for number in range(CASES)]
        for number, path in enumerate(paths):
            pictures[number % PHANTOMS].save(path, quality=85)
        cases = pd.DataFrame(dict.fromkeys(COLUMNS, "unknown"), index=range(CASES)).assign(
            image_id=[path.stem for path in paths], path=[str(path) for path in paths], age=50.0, seen=False
        )
        part = AuditPart(Path(folder) / "part-00000.parquet", bundle.path, cases, quality=False)

        def read(piece: slice) -> np.ndarray:
            return np.stack([prepare(decode(path), bundle.card.size) for path in paths[piece]])

        images = read(slice(None))

        def decoded() -> None:
            for piece in batches(CASES, PLAIN_BATCH):
                predictor.run(images[piece])

        def from_files() -> None:
            for piece in batches(CASES, PLAIN_BATCH):
                predictor.run(read(piece))

        def same_threads() -> None:
            with ThreadPoolExecutor(usable_cores()) as threads:
                list(threads.map(lambda piece: single.run(images[piece]), batches(CASES, BATCH)))

        ours: Callable[[], object] = partial(write_part, part)
        return [medians(ours, reference, REPEATS) for reference in (decoded, from_files, same_threads)]

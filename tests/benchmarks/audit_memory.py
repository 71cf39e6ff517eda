"""The peak memory of `lesionlens audit` over some images and over four times as many: flat means a ratio of about 1.

An audit is a process of its own; its peak is the resident set that the kernel counts (getrusage), of which the first
part, 512 cases, is the most that is held at once. `ratio` is the smaller audit's peak over the larger one's.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from analysis.audit_parts import PART_ROWS
from tests.model.data_sets import metadata, write_ham10000

TIMES = 4
FLAT = 0.9
AUDITING = """
import resource, sys
from app.cli import main

status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


def measure(images: int = 2 * PART_ROWS) -> dict[str, object]:
    """The peaks in megabytes, without image quality, whose descriptors keep nothing but their numbers."""
    small, large = _peak(images), _peak(TIMES * images)
    return {
        "name": "audit_memory",
        "images": [images, TIMES * images],
        "peak_megabytes": [round(small), round(large)],
        "ratio": round(small / large, 2),
        "must": FLAT,
        "met": small / large >= FLAT,
    }


def _peak(images: int) -> float:
    """Megabytes."""
    with TemporaryDirectory() as folder:
        data = write_ham10000(Path(folder) / "data", _metadata(images), masks=False)
        arguments = ["audit", "--data", str(data), "--out", str(Path(folder) / "audit"), "--no-image-quality"]
        done = subprocess.run([sys.executable, "-c", AUDITING, *arguments], capture_output=True, text=True, check=True)
        return int(done.stdout.splitlines()[-1]) / 1024


def _metadata(images: int) -> pd.DataFrame:
    """So many images of as many lesions, none of which the shipped model has learnt."""
    repeated = pd.concat([metadata()] * (images // len(metadata()) + 1), ignore_index=True).head(images)
    names = pd.Series([f"{number:07d}" for number in range(images)])
    return repeated.assign(image_id="ISIC_9" + names, lesion_id="PHANTOM_" + names)

"""Images decoded and resized once, kept on disk as one memory-mapped array."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.images import prepare_file

# Raised whenever decode() or prepare() change what they return, so that older caches are not taken for current ones.
VERSION = 1
DAY = 86_400  # seconds
CACHE_FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lesionlens"


def cached_images(
    paths: Sequence[str],
    size: int,
    folder: Path = CACHE_FOLDER,
    on_progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """The images at `paths` as training and serving see them, read-only memory map, uint8 (n, size, size, 3).

    The file is keyed by the images' paths, lengths and times of change and by the size, so that a changed image makes
    a new cache. `on_progress` is told how many of how many images are done. Raises ImageError, naming the file, when
    an image cannot be decoded, and OSError where the disk has no room; a cache is complete or not there at all.
    """
    file = folder / f"images-{size}px-{_key(paths, size)}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(folder)
        _check_room(folder, len(paths) * size * size * 3)
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        try:
            _fill(part, paths, size, on_progress)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    images: NDArray[np.uint8] = np.load(file, mmap_mode="r", allow_pickle=False)
    return images


def _remove_left_behind(folder: Path) -> None:
    """Remove what killed processes left half filled: nobody has written to it for a day."""
    for part in folder.glob("images-*.part"):
        if time.time() - part.stat().st_mtime > DAY:
            part.unlink(missing_ok=True)


def _check_room(folder: Path, needed: int) -> None:
    """Raise OSError where the disk would be full before the map is: writing to it then ends the process by a signal."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"Decoded images take {needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are left. Make room, or "
            "give another folder by --cache."
        )


def _fill(file: Path, paths: Sequence[str], size: int, on_progress: Callable[[int, int], None] | None) -> None:
    images = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=(len(paths), size, size, 3))
    with ThreadPoolExecutor() as threads:
        for index, image in enumerate(threads.map(lambda path: prepare_file(path, size), paths)):
            images[index] = image
            if on_progress is not None:
                on_progress(index + 1, len(paths))
    images.flush()


def _key(paths: Sequence[str], size: int) -> str:
    stats = [Path(path).stat() for path in paths]
    identity = [
        VERSION,
        size,
        [[path, stat.st_size, stat.st_mtime_ns] for path, stat in zip(paths, stats, strict=True)],
    ]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]

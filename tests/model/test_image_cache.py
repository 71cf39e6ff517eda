import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from model.image_cache import cached_images
from model.images import ImageError, decode, prepare


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    generator = np.random.default_rng(0)
    files = [tmp_path / f"{index}.png" for index in range(5)]
    for file in files:
        Image.fromarray(generator.integers(0, 256, (60, 80, 3), np.uint8)).save(file)
    return [str(file) for file in files]


def test_holds_what_serving_would_see(paths: list[str], tmp_path: Path) -> None:
    images = cached_images(paths, 32, tmp_path / "cache")
    assert images.dtype == np.uint8
    for path, image in zip(paths, images, strict=True):
        np.testing.assert_array_equal(image, prepare(decode(Path(path)), 32))


def test_is_made_once_and_again_when_an_image_changes(paths: list[str], tmp_path: Path) -> None:
    seen: list[int] = []
    for _ in range(2):
        cached_images(paths, 32, tmp_path / "cache", lambda done, total: seen.append(done))
    assert seen == [1, 2, 3, 4, 5]
    Image.new("RGB", (60, 80)).save(paths[2])
    os.utime(paths[2], ns=(1, 1))
    images = cached_images(paths, 32, tmp_path / "cache", lambda done, total: seen.append(done))
    assert len(seen) == 10
    assert images[2].max() == 0


def test_a_disk_without_room_is_said_before_anything_is_written(
    paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.image_cache.shutil.disk_usage", lambda folder: SimpleNamespace(free=5 * 32 * 32 * 3 - 1))
    with pytest.raises(OSError, match="give another folder by --cache"):
        cached_images(paths, 32, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_a_killed_process_left_is_removed_after_a_day(paths: list[str], tmp_path: Path) -> None:
    old, young = (tmp_path / f"images-32px-0.npy.{process}.part" for process in (1, 2))
    for file in (old, young):
        file.touch()
    os.utime(old, (0, 0))
    cached_images(paths, 32, tmp_path)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_failed_cache_leaves_nothing_and_names_the_file(paths: list[str], tmp_path: Path) -> None:
    Path(paths[3]).write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"3\.png"):
        cached_images(paths, 32, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []

import json
import shutil
from pathlib import Path

import pytest

from app.cli import main
from model.classes import BY_CODE
from tests.model.data_sets import write_class_folders, write_ham10000, write_isic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_ham10000(tmp_path / "ham10000")


def test_a_sound_data_set_is_counted_and_ends_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(folder)]) == 0
    printed = capsys.readouterr().out
    for code, diagnosis in BY_CODE.items():
        [line] = [line for line in printed.splitlines() if f"({code})" in line]
        assert diagnosis.name in line
        assert line.split()[-4:] == ["3", "│", "2", "│"]
    assert "Sound: no damage found." in printed


def test_damage_ends_with_1_and_every_file_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = sorted(folder.glob("HAM10000_images_part_1/*.jpg"))
    images[0].unlink()
    images[1].write_bytes(b"no image")
    shutil.copy(images[2], images[3])
    assert main(["data", "check", str(folder)]) == 1
    printed = capsys.readouterr().out
    for name in (images[0].stem, str(images[1]), str(images[2]), str(images[3])):
        assert name in printed
    assert "Damaged: 3 to mend." in printed


def test_json_is_one_object_with_the_whole_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [broken, *_] = sorted(folder.glob("HAM10000_images_part_2/*.jpg"))
    broken.write_bytes(b"")
    assert main(["data", "check", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["path"] == str(folder)
    assert report["sound"] is False
    assert report["images"] == dict.fromkeys(BY_CODE, 3)
    assert report["lesions"] == dict.fromkeys(BY_CODE, 2)
    [finding] = report["findings"]
    assert finding == {
        "kind": "unreadable image",
        "damage": True,
        "files": [str(broken)],
        "message": "The file is empty. Get it again from where it came from.",
    }


def test_every_layout_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for data_set in (write_isic(tmp_path / "isic"), write_class_folders(tmp_path / "folders")):
        assert main(["data", "check", str(data_set)]) == 0
        printed = capsys.readouterr().out
        assert "Note, unknown age: 21 of 21 cases have no age." in printed
        assert " and 16 more" in printed


def test_what_is_no_data_set_ends_with_2_and_says_what_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", str(tmp_path)]) == 2
    assert "HAM10000_metadata.csv" in capsys.readouterr().err

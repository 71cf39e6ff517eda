import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from model.cases import DataError
from model.classes import CODES
from model.data_check import DataReport, Finding, check_data
from tests.model.data_sets import metadata, write_class_folders, write_ham10000, write_isic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_ham10000(tmp_path / "ham10000")


def image(folder: Path, number: int) -> Path:
    [path] = folder.glob(f"HAM10000_images_part_*/ISIC_{number:07d}.jpg")
    return path


def rewrite(folder: Path, table: pd.DataFrame) -> None:
    table.to_csv(folder / "HAM10000_metadata.csv", index=False)


def damage(report: DataReport) -> list[Finding]:
    assert report.sound == (not any(finding.damage for finding in report.findings))
    return [finding for finding in report.findings if finding.damage]


def notes(report: DataReport) -> list[str]:
    return [finding.kind for finding in report.findings if not finding.damage]


def test_a_sound_data_set_is_counted_by_class_and_by_lesion(folder: Path) -> None:
    report = check_data(folder)
    assert report.sound
    assert report.findings == ()
    assert report.images == dict.fromkeys(CODES, 3)
    assert report.lesions == dict.fromkeys(CODES, 2)


def test_every_layout_can_be_checked(tmp_path: Path) -> None:
    for data_set in (write_isic(tmp_path / "isic"), write_class_folders(tmp_path / "folders")):
        report = check_data(data_set)
        assert report.sound
        assert report.images == dict.fromkeys(CODES, 3)
        assert notes(report) == ["unknown age", "missing mask"]


def test_progress_counts_every_image(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    check_data(folder, lambda done, total: seen.append((done, total)))
    assert seen == [(number, 21) for number in range(1, 22)]


def test_an_image_in_two_folders_is_damage_where_the_files_differ(folder: Path) -> None:
    first = image(folder, 0)
    second = folder / "HAM10000_images_part_2" / first.name
    shutil.copy(first, second)
    [note] = check_data(folder).findings
    assert (note.kind, note.damage) == ("stored twice", False)
    assert note.message == "ISIC_0000000 is stored twice, the same byte for byte; the first file is taken."
    shutil.copy(image(folder, 2), second)
    [finding] = damage(check_data(folder))
    assert finding.files == (str(first.resolve()), str(second.resolve()))
    assert "with different content" in finding.message


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_files_that_the_metadata_do_not_list_are_noted(folder: Path, suffix: str) -> None:
    for name in ("ISIC_0000100", "ISIC_0000101"):
        shutil.copy(image(folder, 0), folder / "HAM10000_images_part_2" / f"{name}{suffix}")
    report = check_data(folder)
    assert report.sound
    [note] = report.findings
    assert note.message == "2 image files are not in the metadata, so never used."
    assert [Path(file).stem for file in note.files] == ["ISIC_0000100", "ISIC_0000101"]


def test_two_files_of_one_image_in_a_class_folder(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "folders")
    file = next(root.rglob("*.png"))
    shutil.copy(file, file.with_suffix(".bmp"))
    assert "stored twice" in notes(check_data(root))


def test_a_missing_image_is_named(folder: Path) -> None:
    image(folder, 4).unlink()
    [finding] = damage(check_data(folder))
    assert (finding.kind, finding.files) == ("missing image", ("ISIC_0000004",))


@pytest.mark.parametrize("content", [b"", b"no image", "truncated"])
def test_an_unreadable_image_is_named_with_the_reason(folder: Path, content: bytes | str) -> None:
    path = image(folder, 4)
    path.write_bytes(path.read_bytes()[:-200] if isinstance(content, str) else content)
    [finding] = damage(check_data(folder))
    assert (finding.kind, finding.files) == ("unreadable image", (str(path),))
    assert finding.message.endswith(".")


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_an_image_that_is_not_three_channel_is_named(folder: Path, mode: str) -> None:
    path = image(folder, 7)
    with Image.open(path) as picture:
        converted = picture.convert(mode)
    converted.save(path)
    [finding] = damage(check_data(folder))
    assert (finding.kind, finding.files) == ("not three channels", (str(path),))
    assert mode in finding.message


def test_identical_files_of_two_lesions_are_damage_and_of_one_lesion_a_note(folder: Path) -> None:
    shutil.copy(image(folder, 0), image(folder, 1))
    report = check_data(folder)
    assert report.sound
    assert notes(report) == ["identical images"]
    shutil.copy(image(folder, 0), image(folder, 5))
    [finding] = damage(check_data(folder))
    assert finding.kind == "identical images"
    assert set(finding.files) == {str(image(folder, number)) for number in (0, 1, 5)}
    assert "byte for byte" in finding.message


def test_files_that_differ_but_hold_the_same_pixels_are_found(folder: Path) -> None:
    source, copy = image(folder, 3), image(folder, 8)
    jpeg = source.read_bytes()
    copy.write_bytes(jpeg[:2] + b"\xff\xfe\x00\x06note" + jpeg[2:])
    [finding] = damage(check_data(folder))
    assert finding.kind == "identical images"
    assert set(finding.files) == {str(source), str(copy)}
    assert "in every pixel" in finding.message


def test_an_unknown_and_an_absent_label_are_named(folder: Path) -> None:
    table = metadata()
    table.loc[[2, 5], "dx"] = ["scc", None]
    rewrite(folder, table)
    report = check_data(folder)
    first, second = damage(report)
    assert (first.kind, first.files) == ("unknown label", (str(image(folder, 2)),))
    assert "'scc'" in first.message
    assert (second.kind, second.files) == ("unknown label", (str(image(folder, 5)),))
    assert "no label" in second.message
    assert report.images["scc"] == 1


def test_contradicting_labels_of_one_lesion_are_named(folder: Path) -> None:
    table = metadata()
    table.loc[table["image_id"] == "ISIC_0000013", "dx"] = "nv"
    rewrite(folder, table)
    [finding] = damage(check_data(folder))
    assert finding.kind == "contradicting labels"
    assert set(finding.files) == {str(image(folder, 12)), str(image(folder, 13))}
    assert finding.message == "Lesion HAM_0000008 is called mel and nv."


def test_an_image_that_is_listed_twice_is_named_once(folder: Path) -> None:
    rewrite(folder, pd.concat([metadata(), metadata().iloc[[6]]]))
    [finding] = damage(check_data(folder))
    assert (finding.kind, finding.files) == ("listed twice", (str(image(folder, 6)),))


def test_unknown_ages_missing_masks_and_absent_classes_are_no_damage(folder: Path) -> None:
    table = metadata()
    table.loc[3, "age"] = np.nan
    rewrite(folder, table[table["dx"] != "df"])
    next(folder.glob("*segmentations*/ISIC_0000000_segmentation.png")).unlink()
    report = check_data(folder)
    assert report.sound
    assert notes(report) == ["unknown age", "missing mask", "absent class", "unlisted image"]
    assert report.images["df"] == 0


def test_damage_comes_first_and_everything_is_found_at_once(folder: Path) -> None:
    image(folder, 4).unlink()
    image(folder, 6).write_bytes(b"")
    shutil.copy(image(folder, 0), image(folder, 1))
    report = check_data(folder)
    assert [finding.kind for finding in report.findings] == ["missing image", "unreadable image", "identical images"]


def test_a_folder_that_is_no_data_set_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data set"):
        check_data(tmp_path)


def test_the_public_data_set_is_sound(ham10000: Path) -> None:
    report = check_data(ham10000)
    assert report.sound
    assert report.images == {"akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142}
    assert report.lesions == {"akiec": 228, "bcc": 327, "bkl": 727, "df": 73, "mel": 614, "nv": 5403, "vasc": 98}
    assert notes(report) == ["identical images", "identical images", "unknown age"]
    assert len(report.findings[-1].files) == 57

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.cases import COLUMNS, DataError, load_cases, read_cases, read_metadata
from model.classes import CODES
from model.images import decode
from tests.model.data_sets import metadata, save_picture, write_class_folders, write_ham10000, write_isic


def test_the_ham10000_layout_gives_one_row_per_image_with_all_that_is_known(tmp_path: Path) -> None:
    cases = load_cases(write_ham10000(tmp_path))
    expected = metadata()
    assert tuple(cases.columns) == COLUMNS
    assert cases["image_id"].tolist() == expected["image_id"].tolist()
    assert cases["lesion_id"].tolist() == expected["lesion_id"].tolist()
    assert cases["diagnosis"].tolist() == expected["dx"].tolist()
    assert cases["confirmation"].tolist() == ["histo"] * 21
    assert cases["age"].tolist() == expected["age"].tolist()
    assert cases["sex"].tolist() == ["female"] * 21
    assert cases["site"].tolist() == ["back"] * 21
    for case in cases.itertuples():
        assert Path(case.path).is_absolute()
        assert Path(case.path).stem == case.image_id
        assert Path(case.mask_path).name == f"{case.image_id}_segmentation.png"
        assert decode(Path(case.path)).shape == (48, 64, 3)


@pytest.mark.parametrize("name", ["HAM10000_images", "images", "."])
def test_one_folder_instead_of_two_parts_is_enough(tmp_path: Path, name: str) -> None:
    write_ham10000(tmp_path)
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    for part in list(tmp_path.glob("HAM10000_images_part_*")):
        for file in list(part.iterdir()):
            file.rename(folder / file.name)
        part.rmdir()
    expected = [(folder / f"{image_id}.jpg").resolve() for image_id in metadata()["image_id"]]
    assert [Path(path) for path in load_cases(tmp_path)["path"]] == expected


def test_the_metadata_may_carry_the_name_that_the_dataverse_gives_it(tmp_path: Path) -> None:
    root = write_ham10000(tmp_path)
    (root / "HAM10000_metadata.csv").rename(root / "HAM10000_metadata")
    assert len(load_cases(root)) == 21


def test_masks_are_optional_as_a_whole_and_each(tmp_path: Path) -> None:
    assert load_cases(write_ham10000(tmp_path / "without", masks=False))["mask_path"].isna().all()
    root = write_ham10000(tmp_path / "with")
    next(root.glob("*segmentations*/ISIC_0000000_segmentation.png")).unlink()
    assert load_cases(root)["mask_path"].isna().tolist() == [True] + [False] * 20


@pytest.mark.parametrize("given", ["csv", "folder"])
def test_the_isic_challenge_layout(tmp_path: Path, given: str) -> None:
    truth = write_isic(tmp_path)
    cases = load_cases(truth if given == "csv" else tmp_path)
    assert tuple(cases.columns) == COLUMNS
    assert cases["image_id"].tolist() == metadata()["image_id"].tolist()
    assert cases["diagnosis"].tolist() == metadata()["dx"].tolist()
    assert cases["lesion_id"].tolist() == cases["image_id"].tolist()
    assert [Path(path).name for path in cases["path"]] == [f"{image_id}.jpg" for image_id in cases["image_id"]]
    assert cases["age"].isna().all()
    assert (cases[["sex", "site"]] == "unknown").all(axis=None)
    assert cases[["confirmation", "mask_path"]].isna().all(axis=None)


def test_a_folder_per_class(tmp_path: Path) -> None:
    cases = load_cases(write_class_folders(tmp_path))
    expected = metadata().sort_values(["dx", "image_id"])
    assert tuple(cases.columns) == COLUMNS
    assert cases["image_id"].tolist() == expected["image_id"].tolist()
    assert cases["diagnosis"].tolist() == expected["dx"].tolist()
    assert cases["lesion_id"].tolist() == cases["image_id"].tolist()
    assert all(Path(path).is_file() for path in cases["path"])


def test_images_of_one_name_in_two_class_folders_are_two_cases(tmp_path: Path) -> None:
    for code in ("mel", "nv"):
        for name in ("1.png", f"{code}.png"):
            save_picture(tmp_path / code / name, 0)
    assert load_cases(tmp_path)["image_id"].tolist() == ["mel_1", "mel", "nv_1", "nv"]


def test_an_image_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    table = pd.concat([metadata(), metadata().head(1)])
    with pytest.raises(DataError, match=r"lists 1 images twice, ISIC_0000000 first; `lesionlens data check"):
        load_cases(write_ham10000(tmp_path, table))


def test_diagnoses_are_spelled_as_the_classes_that_are_asked_for(tmp_path: Path) -> None:
    save_picture(tmp_path / "Other" / "1.png", 0)
    save_picture(tmp_path / "MEL" / "2.png", 0)
    assert load_cases(tmp_path, ("mel", "Other"))["diagnosis"].tolist() == ["mel", "Other"]


def test_files_that_are_no_images_and_hidden_folders_are_left_alone(tmp_path: Path) -> None:
    write_class_folders(tmp_path)
    (tmp_path / "nv" / "Thumbs.db").write_bytes(b"x")
    save_picture(tmp_path / ".cache" / "a.png", 0)
    assert len(load_cases(tmp_path)) == 21


def test_what_is_not_known_is_unknown(tmp_path: Path) -> None:
    table = metadata()
    table.loc[0, ["age", "sex", "localization", "dx_type"]] = [np.nan, None, None, None]
    root = write_ham10000(tmp_path, table)
    first = load_cases(root).iloc[0]
    assert np.isnan(first["age"])
    assert (first["sex"], first["site"]) == ("unknown", "unknown")
    assert pd.isna(first["confirmation"])


def test_a_case_without_a_lesion_id_is_a_lesion_of_its_own(tmp_path: Path) -> None:
    table = metadata()
    table.loc[[1, 2], "lesion_id"] = None
    cases = load_cases(write_ham10000(tmp_path, table))
    assert cases["lesion_id"].tolist()[:3] == ["HAM_0000000", "ISIC_0000001", "ISIC_0000002"]


@pytest.mark.parametrize("layout", ["ham10000", "isic"])
def test_image_ids_that_look_like_numbers_stay_as_they_are_written(tmp_path: Path, layout: str) -> None:
    root = write_ham10000(tmp_path) if layout == "ham10000" else write_isic(tmp_path).parent
    for file in [*root.glob("*.csv")]:
        file.write_text(file.read_text().replace("ISIC_", ""))
    for file in [*root.glob("*/ISIC_*")]:
        file.rename(file.with_name(file.name.replace("ISIC_", "")))
    cases = load_cases(root)
    assert cases["image_id"].tolist()[:2] == ["0000000", "0000001"]


def test_missing_images_are_counted_and_the_check_is_named(tmp_path: Path) -> None:
    root = write_ham10000(tmp_path)
    for number in (3, 5):
        next(root.glob(f"*/ISIC_{number:07d}.jpg")).unlink()
    with pytest.raises(DataError, match=r"2 images .* missing, ISIC_0000003 first; `lesionlens data check"):
        load_cases(root)
    assert read_cases(root)["path"].isna().sum() == 2


@pytest.mark.parametrize("label", ["scc", None])
def test_unknown_labels_are_named_and_the_known_ones_listed(tmp_path: Path, label: str | None) -> None:
    table = metadata()
    table.loc[0, "dx"] = label
    with pytest.raises(DataError, match=f"unknown diagnoses.*{label or 'nan'}.*{CODES[0]}"):
        load_cases(write_ham10000(tmp_path, table))


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_cases(tmp_path / "nowhere")


def test_a_folder_that_is_no_data_set_is_told_what_would_be_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither HAM10000_metadata\.csv, nor an ISIC .* nor a folder of images per"):
        load_cases(tmp_path)


def test_metadata_without_its_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column lesion_id, dx"):
        load_cases(write_ham10000(tmp_path, metadata()[["image_id"]]))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00broken", b"image_id,lesion_id,dx\n"])
def test_metadata_that_is_no_csv_or_empty(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "HAM10000_metadata.csv"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"HAM10000_metadata\.csv"):
        read_metadata(file)
    with pytest.raises(DataError, match=r"HAM10000_metadata\.csv"):
        load_cases(tmp_path)


@pytest.mark.parametrize("values", ["0,0,0,0,0,0,0", "1,1,0,0,0,0,0", "0.5,0.5,0,0,0,0,0", ",,,,,,"])
def test_a_ground_truth_that_is_not_one_hot(tmp_path: Path, values: str) -> None:
    truth = tmp_path / "Some_GroundTruth.csv"
    truth.write_text(f"image,{','.join(code.upper() for code in CODES)}\nISIC_0000000,{values}\n")
    with pytest.raises(DataError, match="not one-hot"):
        load_cases(truth)


def test_several_ground_truths_in_a_folder_ask_for_one(tmp_path: Path) -> None:
    truth = write_isic(tmp_path)
    (tmp_path / "Other_GroundTruth.csv").write_text(truth.read_text())
    with pytest.raises(DataError, match="several ground truth files"):
        load_cases(tmp_path)
    assert len(load_cases(truth)) == 21


def test_the_public_data_set(ham10000: Path) -> None:
    cases = load_cases(ham10000)
    assert len(cases) == 10015
    assert cases["lesion_id"].nunique() == 7470
    assert cases["age"].isna().sum() == 57
    assert cases["mask_path"].notna().all()
    assert cases["confirmation"].value_counts().to_dict() == {
        "histo": 5340,
        "follow_up": 3704,
        "consensus": 902,
        "confocal": 69,
    }


def test_the_public_challenge_validation_set(ham10000: Path) -> None:
    cases = load_cases(ham10000 / "ISIC2018_Task3_Validation_GroundTruth.csv")
    assert len(cases) == 193
    assert cases["diagnosis"].value_counts().to_dict() == {
        "nv": 123,
        "bkl": 22,
        "mel": 21,
        "bcc": 15,
        "akiec": 8,
        "vasc": 3,
        "df": 1,
    }

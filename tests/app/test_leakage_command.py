"""`lesionlens leakage` prints the overlap of any data set, and compares two trainings."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.cli import main
from model.classes import CODES
from tests.model.data_sets import save_picture

CASES = 168


def metadata() -> pd.DataFrame:
    """Two images of each of 84 lesions, of every diagnosis alike."""
    numbers = np.arange(CASES)
    return pd.DataFrame(
        {
            "lesion_id": [f"HAM_{number // 2:07d}" for number in numbers],
            "image_id": [f"ISIC_{number:07d}" for number in numbers],
            "dx": np.array(CODES)[numbers // 2 % 7],
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    metadata().to_csv(folder / "HAM10000_metadata.csv", index=False)
    return folder


def test_json_has_every_protocol_and_fold(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leakage", "--data", str(data), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["lesions_known"]
    totals = {(row["protocol"], row["fold"]): row["lesion"] for row in answer["overlap"] if row["diagnosis"] == "total"}
    assert len(totals) == 6 + 6 + 2
    assert totals["lesion", None] == 0
    assert totals["image", None] > 0.4
    assert totals["oversampled", None] > 0.4


def test_one_fold_of_one_protocol(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leakage", "--data", str(data), "--protocol", "image", "--fold", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {(row["protocol"], row["fold"]) for row in answer["overlap"]} == {("image", 2)}


def test_a_fold_is_left_away_where_a_protocol_has_one_only(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leakage", "--data", str(data), "--fold", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {row["protocol"] for row in answer["overlap"]} == {"lesion", "image"}
    assert main(["leakage", "--data", str(data), "--protocol", "oversampled", "--fold", "2"]) == 2
    assert "oversampled has folds 0 to 0, not 2" in capsys.readouterr().err


def test_markdown_and_table(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leakage", "--data", str(data), "--protocol", "lesion", "--markdown"]) == 0
    assert f"| total | {CASES} | 0.0 % | 0.0 % |" in capsys.readouterr().out
    assert main(["leakage", "--data", str(data), "--protocol", "lesion"]) == 0
    assert "fold 4" in capsys.readouterr().out


def test_a_folder_per_class_says_that_lesions_are_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, code in enumerate(np.repeat(CODES, 12)):
        (tmp_path / code).mkdir(exist_ok=True)
        (tmp_path / code / f"{number}.jpg").touch()
    assert main(["leakage", "--data", str(tmp_path), "--protocol", "image", "--json"]) == 0
    assert not json.loads(capsys.readouterr().out)["lesions_known"]
    assert main(["leakage", "--data", str(tmp_path), "--protocol", "image"]) == 0
    assert "does not say which images show one lesion" in capsys.readouterr().err


def test_too_few_cases_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metadata()[:28].to_csv(tmp_path / "HAM10000_metadata.csv", index=False)
    for protocol in ("lesion", "image", "oversampled"):
        assert main(["leakage", "--data", str(tmp_path), "--protocol", protocol]) == 2
        assert "Too few cases to split" in capsys.readouterr().err


def test_only_the_whole_table_is_saved(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leakage", "--data", str(data), "--protocol", "lesion", "--save", str(tmp_path)]) == 2
    assert "leave --protocol and --fold away" in capsys.readouterr().err


def test_the_committed_table_is_not_replaced_by_another_data_set_s(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leakage", "--data", str(data), "--save"]) == 2
    assert "give others a folder of their own, by --save DIR" in capsys.readouterr().err


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A data set with images, and the bundles of one untrained network under both splits."""
    from model.bundle_writer import write_bundle
    from model.cases import load_cases
    from model.image_cache import cached_images
    from model.networks import lesion_cnn
    from model.splits import split
    from model.training import Configuration, TrainingResult

    root = tmp_path_factory.mktemp("models")
    metadata().to_csv(root / "HAM10000_metadata.csv", index=False)
    for seed, image_id in enumerate(metadata()["image_id"]):
        save_picture(root / "HAM10000_images_part_1" / f"{image_id}.jpg", seed % 8)
    cases = load_cases(root)
    images = cached_images(list(cases["path"]), 32, root / "cache")
    for protocol in ("oversampled", "lesion"):
        configuration = Configuration(network="lesion_cnn", size=32, protocol=protocol, epochs=1)
        history = [{"epoch": 1, "validation_macro_auc": 0.5, "cpu_seconds": 60.0 * len(protocol)}]
        result = TrainingResult(lesion_cnn(32), configuration, np.full(7, 1 / 7), history, True)
        write_bundle(root / protocol, result, cases, split(cases, protocol), images, protocol)
    return root, root / "oversampled", root / "lesion"


def test_two_trainings_are_compared_and_kept(
    models: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, leaky, honest = models
    common = ["leakage", "--data", str(root), "--cache", str(root / "cache"), "--models"]
    assert main([*common, str(honest), str(leaky), "--json", "--save", str(tmp_path)]) == 0
    faces = json.loads(capsys.readouterr().out)["faces"]
    assert [face["training"]["model"] for face in faces] == ["oversampled", "lesion"]
    assert faces[0]["memory"][0]["seen"] > 0
    assert faces[1]["memory"][0]["seen"] == 0
    kept = pd.read_parquet(tmp_path / "leakage_oversampled.parquet")
    assert len(kept) == faces[0]["metrics"]["cases"] == 26
    assert kept["image_in_training"].any()
    assert {file.name for file in tmp_path.iterdir()} == {
        "leakage_overlap.parquet",
        "leakage_oversampled.parquet",
        "leakage_lesion.parquet",
    }
    assert main([*common, str(leaky), str(honest), "--markdown"]) == 0
    assert "| Figure | oversampled | lesion |" in capsys.readouterr().out
    assert main([*common, str(leaky), str(leaky)]) == 2
    assert "one of oversampled and one of lesion are compared" in capsys.readouterr().err


def test_another_data_set_is_refused(
    models: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, leaky, honest = models
    (tmp_path / "HAM10000_images_part_1").symlink_to(root / "HAM10000_images_part_1")
    metadata()[:-1].to_csv(tmp_path / "HAM10000_metadata.csv", index=False)
    assert main(["leakage", "--data", str(tmp_path), "--models", str(leaky), str(honest)]) == 2
    assert "is not the data set that oversampled was trained on" in capsys.readouterr().err

"""`lesionlens export` writes files, measures them and keeps what it measured."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.exports import compare_exports, read_exports
from app.cli import main
from model.bundle import ModelBundle, load_bundle
from model.splits import split
from tests.app.test_leakage_command import metadata
from tests.model.data_sets import save_picture


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    metadata().to_csv(root / "HAM10000_metadata.csv", index=False)
    for seed, image_id in enumerate(metadata()["image_id"]):
        save_picture(root / "HAM10000_images_part_1" / f"{image_id}.jpg", seed % 8)
    return root


@pytest.fixture(scope="module")
def untrained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """The bundle of an untrained network that says it was trained on `data`."""
    from dataclasses import replace

    from model.bundle import write_card
    from model.cases import fingerprint, load_cases
    from model.networks import lesion_cnn
    from tests.model.untrained import write_untrained

    made = write_untrained(tmp_path_factory.mktemp("bundle") / "untrained", lesion_cnn(32))
    about = {"protocol": "lesion", "fold": 0, "seed": 0}
    write_card(made.path, replace(made.card, split=about, data={"fingerprint": fingerprint(load_cases(data))}))
    return load_bundle(made.path)


def test_every_format_is_written_measured_and_kept(
    untrained: ModelBundle, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["export", str(untrained.path), "--data", str(data), "--cache", str(tmp_path / "cache")]
    assert main([*common, "--out", str(tmp_path / "out"), "--save", str(tmp_path / "kept"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    names = ["original", "tflite-float32", "tflite-float16", "tflite-int8", "onnx-float32", "onnx-int8"]
    assert [row["format"] for row in answer["formats"]] == names
    assert answer["machine"].endswith("cores")
    written = {file.name: file.stat().st_size for file in (tmp_path / "out").iterdir()}
    assert set(written) == {"float32.tflite", "float16.tflite", "int8.tflite", "float32.onnx", "serving_int8.onnx"}
    by_name = {row["format"]: row for row in answer["formats"]}
    assert by_name["onnx-int8"]["bytes"] == written["serving_int8.onnx"]
    assert by_name["onnx-float32"]["difference"]["value"] == 0
    assert by_name["tflite-float32"]["same_call"] == 1
    assert all(row["milliseconds"] > 0 for row in answer["formats"])
    kept = pd.read_parquet(tmp_path / "kept" / "exports.parquet")
    cases = len(np.unique(split(metadata().rename(columns={"dx": "diagnosis"}), "lesion").test))
    assert len(kept) == len(names) * cases
    assert [one.format for one in compare_exports(read_exports(tmp_path / "kept"))] == names


def test_markdown(untrained: ModelBundle, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--format", "onnx-float32", "--out", str(tmp_path), "--cache", str(tmp_path / "cache"), "--markdown"]
    assert main(["export", str(untrained.path), "--data", str(data), *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| Format | Size | Latency | Balanced accuracy | Difference | Called alike |"
    assert lines[3].startswith("| onnx-float32 | ")
    assert "+0.000 (+0.000 to +0.000) | 100.0 % |" in lines[3]


def test_without_data_files_are_only_written(
    untrained: ModelBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(untrained.path), "--format", "onnx-float32", "--out", str(tmp_path), "--json"]) == 0
    size = (tmp_path / "float32.onnx").stat().st_size
    assert json.loads(capsys.readouterr().out)["bytes"] == {"onnx-float32": size}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "onnx-int8"], "onnx-int8 are calibrated with images: give the data set with --data"),
        (["--format", "onnx-int4"], "Unknown format onnx-int4; known are tflite-float32"),
        (["--format", "onnx-float32", "--save"], "--save measures: give the data set with --data"),
    ],
)
def test_what_cannot_be_done_is_refused(
    untrained: ModelBundle, tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(untrained.path), "--out", str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_committed_table_is_the_default_model_s(
    untrained: ModelBundle, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(untrained.path), "--data", str(data), "--out", str(tmp_path), "--save"]) == 2
    assert "keeps every format of the default model" in capsys.readouterr().err


def test_another_data_set_is_refused(
    bundle: ModelBundle, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(bundle.path), "--data", str(data), "--out", str(tmp_path)]) == 2
    assert "is not the data set that" in capsys.readouterr().err


def test_the_quantised_network_can_be_asked_and_served(
    untrained: ModelBundle, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.server import create_app

    folder = tmp_path / "bundle"
    shutil.copytree(untrained.path, folder)
    image = str(data / "HAM10000_images_part_1" / "ISIC_0000000.jpg")
    assert main(["predict", image, "--model", str(folder), "--int8"]) == 2
    assert f"lesionlens export {folder} --format onnx-int8 --data PATH --out {folder}" in capsys.readouterr().err
    into = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--out", str(folder)]
    assert main(["export", str(folder), "--format", "onnx-int8", *into]) == 0
    capsys.readouterr()
    answers = []
    for more in ([], ["--int8"]):
        assert main(["predict", image, "--model", str(folder), "--json", *more]) == 0
        answers.append(json.loads(capsys.readouterr().out)["probabilities"])
    assert answers[0] != answers[1]
    assert list(answers[1].values()) == pytest.approx(list(answers[0].values()), abs=0.05)
    context = create_app(folder, int8=True).state.context
    assert context.bundle.onnx_path == folder / "serving_int8.onnx"

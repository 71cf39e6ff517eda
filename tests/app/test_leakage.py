"""Leakage: the page shows both faces of a network, what training has seen, and how to fill it."""

import io
import shutil
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sklearn.metrics import accuracy_score, f1_score

from analysis.overlap import OVERLAP_FILE
from analysis.predictions import COMMITTED
from app.cli import parser
from app.commands.train import configuration_of
from app.context import Context
from app.leakage_results import LeakageResults
from app.numbers import decimal, percent
from app.pages import leakage, render
from model.bundle import ModelBundle
from model.classes import CODES
from tests.analysis.leaky_tables import HONEST, LEAKY, measured, write_both

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> LeakageResults:
    folder = tmp_path_factory.mktemp("predictions")
    write_both(folder)
    shutil.copy(COMMITTED / OVERLAP_FILE, folder)
    return LeakageResults(folder)


@pytest.fixture(scope="module")
def client_of_both(bundle: ModelBundle, results: LeakageResults) -> TestClient:
    context = Context(bundle)
    context.__dict__["leakage"] = results  # a cached property
    server = FastAPI()
    leakage.register_api(server, context)
    return TestClient(server)


def test_the_page_shows_both_accuracies_and_the_budget(results: LeakageResults) -> None:
    page = str(leakage.page(results))
    for training in (LEAKY, HONEST):
        table = measured(training)
        assert f"'{accuracy_score(table['diagnosis'], table['predicted']):.3f}'" in page
    assert "10,270 and 10,293 steps" in page
    assert "chance 0.143" in page
    assert "Leaky: per-class report on protocol oversampled" in page
    assert "Honest: per-class report on protocol lesion" in page


def test_seen_and_unseen_rows_stand_side_by_side(results: LeakageResults) -> None:
    page = str(leakage.page(results))
    total = results.faces[0].memory[0]
    assert f">{decimal(total.accuracy_seen.value)}<" in page
    assert f">{decimal(total.accuracy_unseen.value)}<" in page
    assert "no such rows" in page


def test_the_original_figure_is_explained_from_the_overlap(results: LeakageResults) -> None:
    page = str(leakage.page(results))
    assert "93.0 % of its test rows are copies of a training row" in page
    assert "94.7 % show a lesion that is in training: every row of akiec, bcc, df, vasc" in page
    assert "54 % of nv" in page


def test_the_overlap_figures_stack_copies_and_lesions(results: LeakageResults) -> None:
    copies, lesions, labels = leakage.page(results)["leakage-overlap-oversampled"].figure.data
    assert list(copies.y) == ["total", *CODES]
    assert copies.x[0] + lesions.x[0] == pytest.approx(94.66, abs=0.01)
    assert labels.text[0].strip() == percent(0.9466)
    assert max(leakage.page(results)["leakage-overlap-lesion"].figure.data[0].x) == 0


def test_without_trainings_the_page_names_the_commands(tmp_path: Path) -> None:
    shutil.copy(COMMITTED / OVERLAP_FILE, tmp_path)
    page = str(leakage.page(LeakageResults(tmp_path)))
    assert "have not been trained yet" in page
    assert page.count("lesionlens train --data ham10000 --network lesion_cnn --size 64") == 2
    assert "93.0 % of its test rows" in page


@pytest.mark.parametrize("text", [leakage.COMMANDS, README.read_text(encoding="utf-8")], ids=["page", "README"])
def test_the_commands_that_are_named_are_those_of_the_two_networks(text: str) -> None:
    commands = [line for line in text.replace("\\\n", "").splitlines() if "train" in line and "--size 64" in line]
    for command, face in zip(commands, LeakageResults(COMMITTED).faces, strict=True):
        configuration = asdict(configuration_of(parser().parse_args(command.split()[1:])))
        trained = {**face.training.settings, **asdict(face.training)}
        assert configuration == {name: trained[name] for name in configuration}


def test_without_anything_the_page_still_stands(tmp_path: Path) -> None:
    assert "lesionlens leakage --data PATH --save" in str(leakage.page(LeakageResults(tmp_path)))


def test_a_damaged_file_is_named_with_the_command_that_writes_it(bundle: ModelBundle, tmp_path: Path) -> None:
    (tmp_path / OVERLAP_FILE).write_bytes(b"no table")
    context = Context(bundle)
    context.__dict__["leakage"] = LeakageResults(tmp_path)  # a cached property
    page = str(render(context, "/leakage", {}))
    assert f"{OVERLAP_FILE} is not a readable Parquet file" in page
    assert "--save` writes it again" in page


def test_the_sentence_says_that_one_network_has_both_faces(results: LeakageResults) -> None:
    leaky, honest = (decimal(face.adjusted.value, 2) for face in results.faces)
    page = str(leakage.page(results))
    assert "One network, trained twice under one budget, shows two faces" in page
    assert f"a balanced accuracy of {leaky} where" in page
    assert f"of {honest} on lesions that it never saw" in page


def test_the_page_has_its_address(bundle: ModelBundle) -> None:
    assert "Leakage" in str(render(Context(bundle), "/leakage", {}))


def test_json_twin(client_of_both: TestClient) -> None:
    answer = client_of_both.get("/api/leakage").json()
    assert [one["training"]["protocol"] for one in answer["faces"]] == ["oversampled", "lesion"]
    assert {row["protocol"] for row in answer["overlap"]} == {"lesion", "image", "oversampled"}


def test_tables_as_csv(client_of_both: TestClient) -> None:
    report = client_of_both.get("/api/leakage/report.csv", params={"protocol": "lesion"})
    rows = pd.read_csv(io.StringIO(report.text)).set_index("class")
    assert list(rows.index) == [*CODES, "accuracy", "macro avg", "weighted avg"]
    table = measured(HONEST)
    macro = f1_score(table["diagnosis"], table["predicted"], average="macro")
    assert rows.loc["macro avg", "f1-score"] == pytest.approx(macro)
    assert rows.loc["accuracy", "f1-score"] == pytest.approx(accuracy_score(table["diagnosis"], table["predicted"]))
    overlap = pd.read_csv(io.StringIO(client_of_both.get("/api/leakage/overlap.csv").text))
    assert list(overlap.columns) == ["protocol", "fold", "diagnosis", "rows", "image", "lesion"]
    assert client_of_both.get("/api/leakage/report.csv", params={"protocol": "image"}).status_code == 404

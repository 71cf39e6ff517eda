from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from analysis.metrics import evaluate
from analysis.overlap import OVERLAP_FILE, TOTAL, of_all_folds
from analysis.predictions import COMMITTED, read_predictions
from app.cli import COMMANDS, parser
from app.commands.train import configuration_of
from app.evaluation_tables import markdown
from app.numbers import percent
from model.bundle import DEFAULT_BUNDLE, SHIPPED, ModelBundle, load_bundle

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_shipped_predictions(bundle: ModelBundle) -> None:
    printed = README.partition("<!-- evaluation -->")[2].partition("<!-- /evaluation -->")[0]
    classes = bundle.card.classes
    assert printed.strip() == markdown(evaluate(read_predictions(bundle.predictions_path, classes), classes))


@pytest.mark.parametrize(
    "path", [DEFAULT_BUNDLE, SHIPPED / "lesion_cnn_lesion_fold0_112px"], ids=lambda path: path.name
)
def test_the_training_command_is_that_of_the_shipped_model(path: Path) -> None:
    trained = load_bundle(path).card.training
    lines = [line for line in README.splitlines() if line.startswith("lesionlens train")]
    line = next(line for line in lines if ("--network lesion_cnn" in line) == (trained["network"] == "lesion_cnn"))
    configuration = asdict(configuration_of(parser().parse_args(line.split()[1:])))
    assert configuration == {name: trained[name] for name in configuration}


def test_every_command_is_documented() -> None:
    for command in COMMANDS:
        assert f"lesionlens {command.__name__.rpartition('.')[2].rstrip('_')}" in README


def test_licence_and_notice_stand_where_people_look() -> None:
    assert "not for diagnosis" in README
    assert "CC BY-NC 4.0" in README
    assert "non-commercial use" in README


def test_the_shares_in_the_text_are_those_of_the_committed_tables() -> None:
    table = of_all_folds(pd.read_parquet(COMMITTED / OVERLAP_FILE))
    seen = table[table["diagnosis"] == TOTAL].set_index("protocol")[["image", "lesion"]]
    told = (
        f"{percent(seen.loc['oversampled', 'lesion'])} with `oversampled` "
        f"({percent(seen.loc['oversampled', 'image'])} are copies), {percent(seen.loc['image', 'lesion'])} with `image`"
    )
    text = " ".join(README.split())
    assert told in text
    alarms = pd.read_parquet(COMMITTED / f"{DEFAULT_BUNDLE.name}_test_tta.parquet")["novel"].mean()
    assert f"{percent(alarms)} of the test images, by mistake" in text

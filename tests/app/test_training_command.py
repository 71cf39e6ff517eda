"""A card's training command, read by the command line, is the training that the card tells of."""

from dataclasses import asdict
from pathlib import Path

from app.cli import parser
from app.training_command import training_commands
from model.bundle import ModelBundle
from model.training import Configuration


def parsed(command: str) -> dict[str, object]:
    program, *arguments = command.split()
    assert program == "lesionlens"
    return vars(parser().parse_args(arguments))


def test_every_setting_is_in_the_command() -> None:
    training = asdict(Configuration(fold=3, size=96, learning_rate=3e-4))
    (command,) = training_commands(training)
    arguments = parsed(command)
    shared = {name: value for name, value in training.items() if name in arguments}
    assert {"network", "protocol", "fold", "size", "epochs", "learning_rate", "balance", "seed"} <= shared.keys()
    assert {name: arguments[name] for name in shared} == shared
    assert arguments["out"] is None


def test_a_training_that_started_from_another_has_both_commands() -> None:
    first = asdict(Configuration(size=96))
    second = {**asdict(Configuration(size=160, start="runs/small/bundle")), "start_training": first}
    before, after = (parsed(command) for command in training_commands(second))
    assert (before["size"], before["out"], before["start"]) == (96, Path("runs/small"), "")
    assert (after["size"], after["start"], after["out"]) == (160, "runs/small/bundle", None)


def test_a_model_from_elsewhere_has_no_command() -> None:
    assert training_commands({"imported_from": "model.h5"}) == ()
    assert training_commands({}) == ()


def test_the_shipped_model_has_one(bundle: ModelBundle) -> None:
    assert parsed(training_commands(bundle.card.training)[-1])["size"] == bundle.card.size

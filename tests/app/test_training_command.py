"""A card's training command, read by the command line, is the training that the card tells of."""

from dataclasses import asdict

from app.cli import parser
from app.training_command import training_command
from model.bundle import ModelBundle
from model.training import Configuration


def parsed(command: str) -> dict[str, object]:
    program, *arguments = command.split()
    assert program == "lesionlens"
    return vars(parser().parse_args(arguments))


def test_every_setting_is_in_the_command() -> None:
    training = asdict(Configuration(fold=3, size=96, learning_rate=3e-4))
    command = training_command(training)
    assert command is not None
    arguments = parsed(command)
    shared = {name: value for name, value in training.items() if name in arguments}
    assert {"network", "protocol", "fold", "size", "epochs", "learning_rate", "balance", "seed"} <= shared.keys()
    assert {name: arguments[name] for name in shared} == shared
    assert arguments["out"] is None


def test_a_model_from_elsewhere_has_no_command() -> None:
    assert training_command({"imported_from": "model.h5"}) is None
    assert training_command({}) is None


def test_the_shipped_model_has_one(bundle: ModelBundle) -> None:
    command = training_command(bundle.card.training)
    assert command is not None
    assert parsed(command)["size"] == bundle.card.size

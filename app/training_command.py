"""The command that trains a model anew, from its card."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from model.training import Configuration


def training_command(training: Mapping[str, Any]) -> str | None:
    """`lesionlens train` with every setting of a card's `training`; None where the model was not trained by it."""
    if "network" not in training:
        return None
    # How images are varied is part of the code.
    options = {field.name for field in fields(Configuration)} - {"augmentation"}
    settings = {name: value for name, value in training.items() if name in options}
    words = (f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in settings.items())
    return " ".join(["lesionlens train --data ham10000", *words])

"""The commands that train a model anew, from its card."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from model.training import Configuration


def training_commands(training: Mapping[str, Any], out: Path | None = None) -> tuple[str, ...]:
    """The `lesionlens train` commands with every setting of a card's `training`, in their order.

    There are several where a training started from another one's model, whose folder is then named (`out` names that of
    the last one), and none where the model was not trained by the command.
    """
    # How images are varied is part of the code.
    options = {field.name for field in fields(Configuration)} - {"augmentation"}
    settings = {name: value for name, value in training.items() if name in options and value != ""}
    if "network" not in settings:
        return ()
    folder = {} if out is None else {"out": out}
    words = (f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in {**settings, **folder}.items())
    earlier = (
        training_commands(training["start_training"], Path(settings["start"]).parent) if "start" in settings else ()
    )
    return (*earlier, " ".join(["lesionlens train --data ham10000", *words]))

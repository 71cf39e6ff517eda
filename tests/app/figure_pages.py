"""What the tests of the figure pages share."""

import shutil
from pathlib import Path

from app.context import Context
from model.bundle import PREDICTIONS_FILE, ModelBundle, load_bundle


def without_predictions(bundle: ModelBundle, folder: Path) -> Context:
    """The context of a bundle like `bundle` that has no test predictions."""
    shutil.copytree(bundle.path, folder / "bundle", ignore=shutil.ignore_patterns(PREDICTIONS_FILE))
    return Context(load_bundle(folder / "bundle"))

"""How the command line asks a model: alone or with the other folds, once or over the symmetries of the image."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.ensemble import Ensemble
    from model.prediction import Predictor


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add `--int8`, `--tta` and `--ensemble`."""
    parser.add_argument("--int8", action="store_true", help="run the bundle's quantised network: smaller and faster")
    parser.add_argument("--tta", action="store_true", help="average over flips and turns (test-time augmentation)")
    parser.add_argument(
        "--ensemble", action="store_true", help="ask the folds beside the bundle too, and say how far they disagree"
    )


def open_model(bundle: Path, *, ensemble: bool, int8: bool = False) -> "Predictor | Ensemble":
    """The model of `bundle`, or the ensemble of its folds; raises BundleError for a bad bundle or a lonely one."""
    from model.bundle import load_bundle
    from model.ensemble import open_ensemble
    from model.prediction import Predictor

    return open_ensemble(bundle, int8=int8) if ensemble else Predictor(load_bundle(bundle, int8=int8))

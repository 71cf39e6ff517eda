"""`lesionlens import`: make a model bundle of a Keras model trained elsewhere."""

import argparse
import math
import re
from pathlib import Path

from model.classes import CODES


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "import",
        help="make a model bundle of a Keras model trained elsewhere",
        description="Check a Keras model (.keras, or .h5 of the older format) and make a model bundle of it, which "
        "predict, explain and serve take with --model. No code from the file is run: it may hold nothing but Keras' "
        "own layers. It takes one RGB image and has one output for each class; a softmax at its end is taken away, as "
        "explanations are of logits. The bundle is not calibrated.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help=".keras or .h5 file with architecture and weights")
    parser.add_argument("--classes", required=True, metavar="CLASSES", help="the outputs in order: akiec,bcc,bkl,…")
    parser.add_argument("--size", type=int, required=True, metavar="PIXELS", help="side of the square input")
    parser.add_argument(
        "--scale",
        type=number,
        default=1.0,
        metavar="FACTOR",
        help="what the model's training multiplied pixels of 0 to 255 by, such as 1/255 (default: 1, not scaled)",
    )
    parser.add_argument(
        "--offset",
        type=number,
        default=0.0,
        metavar="VALUE",
        help="what it added then, such as -1 (default: 0)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the bundle (default: runs/NAME)")
    parser.add_argument("--name", help="name of the model (default: that of the file)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Import the model; raises ForeignModelError when it cannot be brought."""
    from model.tensorflow_start import start_tensorflow

    start_tensorflow()
    from model.importing import import_model

    folder = arguments.out or Path("runs") / (arguments.name or arguments.model.stem)
    classes = [_known(code.strip()) for code in arguments.classes.split(",")]
    imported = import_model(
        arguments.model,
        folder,
        classes,
        arguments.size,
        scale=arguments.scale,
        offset=arguments.offset,
        name=arguments.name,
    )
    card = imported.bundle.card
    ends = "its softmax taken away" if imported.had_softmax else "its outputs taken for logits, as it has no softmax"
    print(f"{card.name}: {card.network}, {imported.parameters:,} parameters, {ends}.")
    change = "less than 0.0001" if imported.rounding < 1e-4 else f"{imported.rounding:.4f} at most"
    print(f"Stored in half precision, its probabilities change by {change} (checked on {imported.probes} images).")
    print("It is not calibrated: its probabilities are those of its softmax, and the most probable class is called.")
    print(f"The model bundle is {folder}. See it: lesionlens serve --model {folder}")
    return 0


def _known(code: str) -> str:
    """A class by the code that data sets are read with: the challenges write MEL where it is mel."""
    return code.lower() if code.lower() in CODES else code


def number(text: str) -> float:
    """A number, or a fraction such as 1/255; raises ArgumentTypeError for anything else."""
    match = re.fullmatch(r"\s*([^/]+?)\s*(?:/\s*([^/]+?))?\s*", text)
    try:
        value = float(match[1]) / float(match[2] or 1) if match else math.nan
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor a fraction such as 1/255")
    return value

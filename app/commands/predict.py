"""`lesionlens predict`: the seven probabilities of any number of images."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from model.prediction import Predictor


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "predict",
        help="print the probabilities of the seven diagnoses",
        description="Print the calibrated probabilities of the seven diagnoses for images, or for all images in "
        "folders. The called class is the one whose probability is largest in proportion to its share of the training "
        "cases, so that rare diagnoses are not passed over. The exit status is 1 when a file is no image. "
        "Not for diagnosis.",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER")
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to ask")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Predict every image; raises BundleError for a bad bundle."""
    from app.progress import progress_bar
    from model.bundle import load_bundle
    from model.prediction import Predictor

    predictor = Predictor(load_bundle(arguments.model))
    files = list(image_files(arguments.paths))
    failed = False
    with progress_bar("Predicting", len(files)) as advance:
        for done, file in enumerate(files, start=1):
            answer = answer_for(file, predictor)
            failed = failed or "error" in answer
            if arguments.json:
                print(json.dumps(answer), flush=True)
            else:
                _print_answer(answer)
            advance(done)
    return 1 if failed else 0


def image_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The given files, and the image files of the given folders in order of name; a folder without any as it is."""
    from model.cases import IMAGE_SUFFIXES

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        yield from inside or [path]


def answer_for(file: Path, predictor: "Predictor") -> dict[str, Any]:
    """The prediction of one file, or why there is none, as one JSON object."""
    from app.answers import error_answer, prediction_answer
    from model.cases import IMAGE_SUFFIXES
    from model.images import ImageError, decode

    try:
        if file.is_dir():
            raise ImageError(f"The folder holds no image ({', '.join(IMAGE_SUFFIXES)}).")
        image = decode(file)
    except ImageError as error:
        return error_answer(str(file), error)
    return prediction_answer(str(file), predictor.predict(image))


def _print_answer(answer: dict[str, Any]) -> None:
    if "error" in answer:
        print(f"{answer['image']}: {answer['error']}", file=sys.stderr)
        return
    from model.classes import BY_CODE

    print(answer["image"])
    for code, probability in answer["probabilities"].items():
        name = BY_CODE[code].name if code in BY_CODE else code
        bar = "█" * round(probability * 24)
        called = " ← called" if code == answer["predicted"] else ""
        print(f"  {probability:6.1%}  {bar:<24}  {name} ({code}){called}")

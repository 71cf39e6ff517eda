"""`lesionlens predict`: the seven probabilities of any number of images."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.certainty import agreement, entropy_in_words, novelty_in_words
from app.model_options import add_options, open_model
from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from app.patient import Asked
    from model.ensemble import Ensemble
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
    add_options(parser)
    for name, kind, text in (
        ("age", float, "the patient's age in years"),
        ("sex", str, "the patient's sex"),
        ("site", str, "where on the body the lesion is"),
    ):
        parser.add_argument(f"--{name}", type=kind, help=f"{text}: also predict with what is known of the patient")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Predict every image; raises BundleError for a bad bundle, or for the ensemble of one that has no other folds."""
    from app.patient import Asked
    from app.progress import progress_bar

    model = open_model(arguments.model, ensemble=arguments.ensemble, int8=arguments.int8)
    asked = Asked(arguments.age, arguments.sex, arguments.site)
    files = list(image_files(arguments.paths))
    failed = False
    with progress_bar("Predicting", len(files)) as advance:
        for done, file in enumerate(files, start=1):
            answer = answer_for(file, model, tta=arguments.tta, asked=asked)
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


def answer_for(file: Path, model: "Predictor | Ensemble", *, tta: bool, asked: "Asked") -> dict[str, Any]:
    """The prediction of one file, or why there is none, as one JSON object; raises MetadataError for a bad patient."""
    from app.answers import error_answer, prediction_answer
    from app.patient import with_patient
    from model.cases import IMAGE_SUFFIXES
    from model.images import ImageError, decode

    try:
        if file.is_dir():
            raise ImageError(f"The folder holds no image ({', '.join(IMAGE_SUFFIXES)}).")
        image = decode(file)
    except ImageError as error:
        return error_answer(str(file), error)
    answer = prediction_answer(str(file), model.predict(image, tta=tta))
    return {**answer, "with_metadata": with_patient(model, answer["probabilities"], asked)}


def _print_answer(answer: dict[str, Any]) -> None:
    if "error" in answer:
        print(f"{answer['image']}: {answer['error']}", file=sys.stderr)
        return
    print(answer["image"])
    print(f"  {novelty_in_words(answer['novelty'])}")
    _print_bars(answer)
    print(f"  {entropy_in_words(answer['entropy'], answer['relative_entropy'])}")
    if answer["disagreement"] is not None:
        print(f"  {agreement(answer['predicted'], answer['disagreement'])}")
    if answer["with_metadata"] is not None:
        print("  With what is known of the patient:")
        _print_bars(answer["with_metadata"])


def _print_bars(answer: dict[str, Any]) -> None:
    """The probabilities of an answer, the called class marked."""
    from model.classes import BY_CODE

    for code, probability in answer["probabilities"].items():
        name = BY_CODE[code].name if code in BY_CODE else code
        bar = "█" * round(probability * 24)
        called = " ← called" if code == answer["predicted"] else ""
        print(f"  {probability:6.1%}  {bar:<24}  {name} ({code}){called}")

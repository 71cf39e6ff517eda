"""`lesionlens explain`: heatmaps of images, as pictures and as numbers."""

import argparse
import json
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import DEFAULT_BUNDLE
from model.classes import BY_CODE, CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy import uint8
    from numpy.typing import NDArray

    from explain.attribution import Attribution, Progress
    from model.prediction import Prediction, Predictor


class ArgumentsError(ValueError):
    """The command line asks for what cannot be done; the message says what and how to mend it."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "explain",
        help="draw what the model looks at",
        description="Write, for every image and method, the heatmap over the image as PNG and the raw map as NPZ\n"
        "(arrays `values` and `metadata`, and `interval` where the method has one). For teaching and\n"
        "research, not for diagnosis.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action=_Help, help="show this message and exit")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="JPEG, PNG, WebP, BMP or TIFF file")
    parser.add_argument(
        "--method", default="gradcam", metavar="METHODS", help="one or several of those below with commas, or all"
    )
    parser.add_argument("--target", metavar="CLASS", help=f"class to explain: {', '.join(CODES)} (default: as called)")
    parser.add_argument("--against", metavar="CLASS", help="explain the target rather than this class")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder to write to (default: this)")
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to explain")
    parser.add_argument("--seed", type=int, default=0, help="seed of what is drawn at random (default: %(default)s)")
    parser.add_argument("--layer", metavar="LAYER", help="layer for the methods that take one (default: features)")
    parser.add_argument(
        "--library", action="store_true", help="make the map by the library that the method is taken from, to compare"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="also write, as JSON, how far each map can be believed; takes several times as long",
    )
    parser.add_argument("--opacity", type=float, metavar="0..1", help="of the strongest place (default: 0.75)")
    parser.set_defaults(run=run)


class _Help(argparse.Action):
    """Prints the help with a list of the methods, which are not imported before."""

    def __init__(self, option_strings: "Sequence[str]", dest: str, help: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Print it and exit."""
        parser.epilog = _methods_help()
        parser.print_help()
        parser.exit()


def _methods_help() -> str:
    from explain.methods import METHODS

    width = max(map(len, METHODS)) + 2
    lines = []
    for code, method in METHODS.items():
        options = [option for option, there in (("--layer", method.layered), ("--library", method.library)) if there]
        lines.append(f"  {code:{width}}{method.sentence}" + (f" ({', '.join(options)})" if options else ""))
    return "\n".join(["methods:", *lines])


def run(arguments: argparse.Namespace) -> int:
    """Explain the images; the exit status is 1 when one of them cannot be, and the others are explained all the same.

    Each file is complete once it is named, so that an interrupted run keeps what it has finished. Raises
    ArgumentsError, BundleError or ExplanationError before the first image for what is wrong with all of them.
    """
    from explain import check_method, check_seed
    from explain.attribution import ExplanationError, Target
    from model.bundle import load_bundle
    from model.images import ImageError
    from model.prediction import Predictor

    methods = _checked(arguments)
    bundle = load_bundle(arguments.model)
    for method in methods:
        check_method(method, bundle, arguments.layer, library=arguments.library)
    check_seed(arguments.seed)
    for code in filter(None, (arguments.target, arguments.against)):
        Target(code).weights(bundle.card.classes)
    _make_folder(arguments.out)
    predictor = Predictor(bundle)
    print("For teaching and research, not for diagnosis.", file=sys.stderr)
    status = 0
    for path in arguments.images:
        try:
            _explain_image(path, predictor, methods, arguments)
        except (ImageError, ExplanationError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            status = 1
    return status


def _checked(arguments: argparse.Namespace) -> list[str]:
    """The methods asked for, in order.

    Raises ArgumentsError or ExplanationError for what no image could be explained with.
    """
    from app.method_list import method_list
    from explain.methods import METHODS

    methods = method_list(arguments.method)
    if arguments.method.strip() == "all":
        if arguments.layer is not None:
            methods = [code for code in methods if METHODS[code].layered]
        if arguments.library:
            methods = [code for code in methods if METHODS[code].library is not None]
    if arguments.opacity is not None and not 0 <= arguments.opacity <= 1:
        raise ArgumentsError(f"The opacity is a number from 0 to 1, not {arguments.opacity}.")
    if arguments.target is not None and arguments.target == arguments.against:
        raise ArgumentsError("--target and --against name the same class. Give two different ones.")
    stem, count = Counter(path.stem for path in arguments.images).most_common(1)[0]
    if count > 1:
        raise ArgumentsError(f"{count} images are called {stem}, as would be their files. Explain them one at a time.")
    return methods


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentsError(f"Cannot write to {path}: {error.strerror}.") from error


def _explain_image(path: Path, predictor: "Predictor", methods: list[str], arguments: argparse.Namespace) -> None:
    from app.progress import progress_bar
    from explain import explain
    from explain.export import png_bytes, save_npz
    from explain.methods import METHODS
    from explain.overlay import OPACITY
    from model.atomic import write_atomically
    from model.images import decode, prepare

    image = decode(path)
    prediction = predictor.predict(image)
    print(f"{path}: {_call(prediction)}", flush=True)
    target = arguments.target or prediction.predicted
    opacity = OPACITY if arguments.opacity is None else arguments.opacity
    made = {}
    for method in methods:
        with progress_bar(f"{METHODS[method].name} of {path.name}") as advance:
            attribution = explain(
                image,
                predictor,
                method,
                target,
                arguments.against,
                seed=arguments.seed,
                layer=arguments.layer,
                library=arguments.library,
                on_progress=partial(_advanced, advance),
            )
        contrast = f"_vs_{arguments.against}" if arguments.against else ""
        layer = f"_{arguments.layer}" if arguments.layer else ""
        library = "_library" if arguments.library else ""
        picture = arguments.out / f"{path.stem}_{method}{layer}{library}_{target}{contrast}.png"
        numbers = picture.with_suffix(".npz")
        write_atomically(picture, png_bytes(image, attribution, opacity))
        save_npz(numbers, attribution)
        print(f"  {picture}\n  {numbers}", flush=True)
        made[picture.with_suffix(".json")] = attribution
    if arguments.trust:
        _write_trust(prepare(image, predictor.bundle.card.size), predictor, made)


def _write_trust(image: "NDArray[uint8]", predictor: "Predictor", made: "Mapping[Path, Attribution]") -> None:
    """Write what each map of a prepared image is worth, and which others it agrees with, to the file that it is for."""
    from analysis.agreement import agreement
    from analysis.trust import STEPS, trust
    from app.progress import progress_bar
    from app.trust_answer import trust_answer
    from explain.methods import METHODS
    from model.atomic import write_atomically

    methods = {attribution.method: attribution for attribution in made.values()}
    agreements = agreement(methods, image)
    for path, attribution in made.items():
        with progress_bar(f"Judging {METHODS[attribution.method].name}", STEPS) as advance:
            steps = []
            for step in trust(attribution, image, predictor):
                steps.append(step)
                advance(len(steps))
        found = steps[-1]
        others = agreements[attribution.method].drop(attribution.method).to_dict()
        answer = {**trust_answer(found, predictor.bundle.card.classes), "agreement": others}
        write_atomically(path, (json.dumps(answer, indent=1) + "\n").encode())
        print(f"  {path}: {', '.join(f'{one.text} {one.number}'.strip() for one in found.verdicts)}", flush=True)


def _advanced(advance: "Callable[..., None]", progress: "Progress") -> None:
    advance(progress.done, progress.total)


def _call(prediction: "Prediction") -> str:
    """What the model calls the image, and why where another class is more probable."""
    probabilities = dict(zip(prediction.classes, prediction.probabilities, strict=True))
    most_probable = max(probabilities, key=lambda code: probabilities[code])
    call = f"called {_named(prediction.predicted)}, probability {probabilities[prediction.predicted]:.3f}"
    if most_probable == prediction.predicted:
        return call
    return (
        f"{call}, although {_named(most_probable)} has {probabilities[most_probable]:.3f}: "
        "the class is called whose probability is largest for how common it is"
    )


def _named(code: str) -> str:
    return f"{code} ({BY_CODE[code].name})" if code in BY_CODE else code

"""`lesionlens sanity`: do the heatmaps of a model depend on what it has learnt?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    from analysis.sanity import MethodSanity
    from model.bundle import ModelBundle

PHANTOMS = ("naevus", "melanoma")
TEST_CASES = 3


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "sanity",
        help="test whether heatmaps depend on what the model has learnt",
        description="Randomise the network stage by stage, from the logits down (Adebayo et al. 2018), and compare "
        "each method's maps with those of the trained network. What is found is kept in the bundle, for the dashboard. "
        "Costs (stages + 1) runs of a method for each image: minutes for most methods.",
    )
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to test")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help=f"data set: take {TEST_CASES} of the model's test cases beside the {len(PHANTOMS)} phantoms",
    )
    parser.add_argument("--methods", metavar="METHODS", help="such as gradcam,lime (default: all)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Test the methods one by one; each is kept once it is done. Raises BundleError, DataError or ExplanationError."""
    from analysis.sanity import sanity, write_sanity
    from app.progress import progress_bar
    from explain import check_method
    from explain.methods import METHODS
    from model.bundle import load_bundle

    bundle = load_bundle(arguments.model)
    methods = list(METHODS) if arguments.methods is None else [name.strip() for name in arguments.methods.split(",")]
    for method in methods:
        check_method(method, bundle)
    images = _phantoms()
    if arguments.data is not None:
        images |= _test_cases(bundle, arguments.data)
    print(f"On {', '.join(images)}:")
    for method in methods:
        with progress_bar(METHODS[method].name) as advance:
            found = sanity(method, bundle, images, advance)
        write_sanity(bundle, method, found)
        print(f"{method:22}{_sentence(found)}", flush=True)
    return 0


def _sentence(found: "MethodSanity") -> str:
    steps = ", ".join(f"{stage} {value:+.2f}" for stage, value in zip(found.stages, found.signed, strict=True))
    return f"{'passes' if found.passes else 'FAILS '}  {steps}"


def _phantoms() -> "dict[str, NDArray[uint8]]":
    from model.phantoms import sample

    return {f"phantom {name}": sample(name).image for name in PHANTOMS}


def _test_cases(bundle: "ModelBundle", data: Path) -> "dict[str, NDArray[uint8]]":
    """The first test case of each of the most frequent diagnoses, by image_id."""
    from analysis.predictions import read_predictions
    from model.cases import load_cases
    from model.images import decode

    tested = read_predictions(bundle.predictions_path, bundle.card.classes, maps=False)
    paths = load_cases(data).set_index("image_id")["path"]
    here = tested[tested["image_id"].isin(paths.index)].sort_values("image_id")
    frequent = here["diagnosis"].value_counts().index[:TEST_CASES]
    first = here[here["diagnosis"].isin(frequent)].drop_duplicates("diagnosis")["image_id"]
    return {image_id: decode(Path(paths[image_id])) for image_id in first}

"""`lesionlens sanity`: do the heatmaps of a model depend on what it has learnt?"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    from analysis.sanity import MethodSanity
    from model.bundle import ModelBundle

PHANTOMS = ("naevus", "melanoma")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "sanity",
        help="test whether heatmaps depend on what the model has learnt",
        description="Randomise the network stage by stage, from the logits down (Adebayo et al. 2018), and compare "
        "each method's maps with those of the trained network. What is found is kept in the bundle, for the dashboard, "
        "and holds for its weights only. "
        "Costs (stages + 1) runs of a method for each image: minutes for most methods.",
    )
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to test")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="data set: take a case of each diagnosis that the model has not learnt beside the "
        f"{len(PHANTOMS)} phantoms, which alone are too few for a verdict",
    )
    parser.add_argument(
        "--methods", default="all", metavar="METHODS", help="such as gradcam,lime (default: all, the controls included)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Test the methods one by one; each is kept once it is done. Raises BundleError, DataError or ExplanationError."""
    from analysis.sanity import sanity, write_sanity
    from app.markdown import markdown_table
    from app.method_list import method_list
    from app.progress import progress_bar
    from explain.methods import METHODS
    from model.bundle import load_bundle

    bundle = load_bundle(arguments.model)
    methods = method_list(arguments.methods)
    images = _phantoms()
    if arguments.data is not None:
        images |= _unseen_cases(bundle, arguments.data)
    found: dict[str, MethodSanity] = {}
    for method in methods:
        with progress_bar(METHODS[method].name) as advance:
            found[method] = sanity(method, bundle, images, advance)
        write_sanity(bundle, method, found[method])
    print(f"Rank correlation with the trained network's maps (95 % interval) on {', '.join(images)}\n")
    print(markdown_table(["Randomised down to", "", *found[methods[0]].stages], _rows(found)))
    return 0


def _rows(found: "Mapping[str, MethodSanity]") -> list[list[str]]:
    from analysis.sanity import WORDS
    from app.numbers import signed_interval

    return [
        [method, WORDS[one.passes], *(signed_interval(stage, 2) for stage in one.signed)]
        for method, one in found.items()
    ]


def _phantoms() -> "dict[str, NDArray[uint8]]":
    from analysis.sanity import DRAWN
    from model.phantoms import sample

    return {f"{DRAWN}{name}": sample(name).image for name in PHANTOMS}


def _unseen_cases(bundle: "ModelBundle", data: Path) -> "dict[str, NDArray[uint8]]":
    """The first case of each diagnosis that the model has not learnt, by image_id; of few diagnoses others, too."""
    import pandas as pd

    from analysis.case_predictions import unseen_cases
    from analysis.sanity import FEWEST_IMAGES
    from model.cases import load_cases
    from model.classes import known_codes
    from model.images import decode_file

    cases = unseen_cases(load_cases(data, known_codes(bundle.card.classes)), [bundle]).sort_values("image_id")
    first = cases.drop_duplicates("diagnosis")
    others = cases[~cases["lesion_id"].isin(first["lesion_id"])].drop_duplicates("lesion_id")
    chosen = pd.concat([first, others.head(max(0, FEWEST_IMAGES - len(first)))])
    return {image_id: decode_file(path) for image_id, path in zip(chosen["image_id"], chosen["path"], strict=True)}

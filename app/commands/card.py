"""`lesionlens card`: the model card of a bundle."""

import argparse
import json
from pathlib import Path

from model.bundle import DEFAULT_BUNDLE


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "card",
        help="print a model's card",
        description="Print what a model is for, what it was made from and how, how well it does for whom, where it "
        "fails, how far its probabilities can be believed, and what training it cost.",
    )
    parser.add_argument("bundle", nargs="?", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the card; raises BundleError for a bad bundle."""
    from app.card_sections import markdown
    from app.jsonable import jsonable
    from app.model_card import model_card
    from model.bundle import load_bundle

    card = model_card(load_bundle(arguments.bundle))
    if arguments.json:
        print(json.dumps(jsonable(card), indent=2))
    elif arguments.markdown:
        print(markdown(card))
    else:
        _print(markdown(card))
    return 0


def _print(text: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))

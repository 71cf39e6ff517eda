"""`lesionlens train`: train a network, and write a model bundle that has been measured on its test part."""

import argparse
import os
import shutil
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.image_cache import CACHE_FOLDER

if TYPE_CHECKING:
    from pandas import DataFrame

    from model.bundle import Card
    from model.splits import Split
    from model.training import Configuration, TrainingResult


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    from model.input_pipeline import BALANCES
    from model.networks import NETWORKS
    from model.splits import PROTOCOLS
    from model.training import SCHEDULES, Configuration

    defaults = Configuration()
    parser = subparsers.add_parser(
        "train",
        help="train a network and write its model bundle",
        description="Train a network on one split of a data set. The state is kept after every epoch: after any "
        "interruption the same command with --resume goes on, and ends with the same weights. Ctrl-C ends early with "
        "the best epoch so far.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="data set to train on")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of this training (default: by its settings)")
    parser.add_argument("--resume", action="store_true", help="go on with the training in the folder")
    parser.add_argument("--limit", type=int, metavar="N", help="take only N cases, equally by class (to try it out)")
    parser.add_argument("--cache", type=Path, default=CACHE_FOLDER, metavar="DIR", help="where decoded images are kept")
    parser.add_argument("--network", choices=NETWORKS, default=defaults.network, help="network to train")
    parser.add_argument("--protocol", choices=PROTOCOLS, default=defaults.protocol, help="how to split the data set")
    parser.add_argument("--fold", type=int, default=defaults.fold, help="fold to test on")
    parser.add_argument("--size", type=int, default=defaults.size, help="side of the network's input in pixels")
    parser.add_argument("--epochs", type=int, default=defaults.epochs, help="epochs at most")
    parser.add_argument("--batch", type=int, default=defaults.batch, help="images a step")
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate, help="largest learning rate")
    parser.add_argument("--weight-decay", type=float, default=defaults.weight_decay, help="AdamW's weight decay")
    parser.add_argument("--schedule", choices=SCHEDULES, default=defaults.schedule, help="learning rate over time")
    parser.add_argument("--balance", choices=BALANCES, default=defaults.balance, help="how rare classes count more")
    parser.add_argument("--label-smoothing", type=float, default=defaults.label_smoothing, help="share of the label")
    parser.add_argument(
        "--dropout", type=float, metavar="SHARE", help="units that the network drops (default: its usual share)"
    )
    parser.add_argument("--moving-average", type=float, default=defaults.moving_average, help="decay of the average")
    parser.add_argument("--patience", type=int, default=defaults.patience, help="epochs without gain before stopping")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="seed of everything random")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, write the bundle, measure it; raises DataError or TrainingError when it cannot start."""
    from app.training_display import TrainingDisplay
    from model.bundle import TRAINED, load_bundle
    from model.cases import load_cases
    from model.splits import LEAKY, split
    from model.tensorflow_start import start_tensorflow
    from model.training import train

    configuration = configuration_of(arguments)
    folder = arguments.out or Path("runs") / default_name(configuration)
    bundle = folder / TRAINED
    cases = load_cases(arguments.data)
    if arguments.limit is not None:
        cases = limited(cases, arguments.limit)
    if bundle.exists() and is_finished(load_bundle(bundle).card, configuration, cases):
        print(f"{folder} is finished: its model bundle is {bundle}.", file=sys.stderr)
        return 0
    start_tensorflow()
    parts = split(cases, configuration.protocol, configuration.fold, configuration.seed)
    with TrainingDisplay(configuration) as display:
        result = train(
            cases,
            parts,
            configuration,
            folder,
            cache=arguments.cache,
            resume=arguments.resume,
            on_progress=display.show,
            on_decode=display.show_decoding,
        )
    _write_measured_bundle(bundle, result, cases, parts, arguments.cache)
    if configuration.protocol in LEAKY:
        print(leakage_warning(load_bundle(bundle).card), file=sys.stderr)
    if not result.completed:
        print(f"Stopped after {len(result.history)} epochs; the same command with --resume goes on.", file=sys.stderr)
    print(f"The model bundle is {bundle}. See it: lesionlens serve --model {bundle} --data {arguments.data}")
    return 0


def configuration_of(arguments: argparse.Namespace) -> "Configuration":
    """The training that the command line asks for; raises TrainingError for values outside their range."""
    from model.training import Configuration

    names = {field.name for field in fields(Configuration)} - {"augmentation"}
    return Configuration(**{name: getattr(arguments, name) for name in names})


def leakage_warning(card: "Card") -> str:
    """What the figures of a leaky split are worth."""
    image, lesion = (card.split[f"test_{what}_in_training"] for what in ("images", "lesions"))
    return (
        f"The figures are not performance: protocol {card.split['protocol']} is leaky. Of its test rows, {image:.1%} "
        f"are images of the training part, and {lesion:.1%} show a lesion of it."
    )


def default_name(configuration: "Configuration") -> str:
    """The name of a training: network, protocol, fold and size."""
    return f"{configuration.network}_{configuration.protocol}_fold{configuration.fold}_{configuration.size}px"


def is_finished(card: "Card", configuration: "Configuration", cases: "DataFrame") -> bool:
    """Whether a bundle's card is that of this very training, run to its end."""
    from model.cases import fingerprint

    same = all(card.training.get(name) == value for name, value in asdict(configuration).items())
    return same and bool(card.training["completed"]) and card.data["fingerprint"] == fingerprint(cases)


def limited(cases: "DataFrame", count: int) -> "DataFrame":
    """At most `count` cases, the same number of each class as far as there are, in the order of the table."""
    rank = cases.groupby("diagnosis").cumcount()
    return cases.loc[rank.sort_values(kind="stable").index[:count]].sort_index().reset_index(drop=True)


def _write_measured_bundle(
    folder: Path, result: "TrainingResult", cases: "DataFrame", parts: "Split", cache: Path
) -> None:
    """Write the bundle and all that is fitted to its validation part; then measure it on its test part.

    The figures with intervals go into the card. A crash leaves no half-written bundle.
    """
    import numpy as np

    from analysis.audit import audit_cases, write_table
    from analysis.metrics import evaluate
    from analysis.overlap import overlap
    from analysis.predictions import annotate
    from analysis.validation import write_validation
    from app.jsonable import jsonable
    from app.progress import progress_bar
    from model.bundle import write_card
    from model.bundle_writer import write_bundle
    from model.image_cache import cached_images
    from model.prediction import Predictor

    images = cached_images(list(cases["path"]), result.configuration.size, cache)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        bundle = write_bundle(part, result, cases, parts, images, folder.parent.name)
        predictor = Predictor(bundle)
        write_validation(predictor, cases, parts, images)
        tested = np.unique(parts.test)  # `oversampled` repeats images
        with progress_bar("Predicting the test part", len(tested)) as advance:
            table = audit_cases(predictor, cases.iloc[tested], images[tested], advance)
        write_table(bundle.predictions_path, table)
        metrics = evaluate(annotate(table, bundle.card.classes), bundle.card.classes)
        seen = overlap(cases.iloc[parts.train], cases.iloc[parts.test])[["image", "lesion"]].to_numpy(float)[0]
        shares = {"test_images_in_training": seen[0].item(), "test_lesions_in_training": seen[1].item()}
        write_card(part, replace(bundle.card, metrics=jsonable(metrics), split={**bundle.card.split, **shares}))
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)

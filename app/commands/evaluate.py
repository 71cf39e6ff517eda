"""`lesionlens evaluate`: the figures of merit of a model on its test part, or on another labelled data set."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.evaluation_tables import CAPTION, COLUMNS, class_rows, markdown, size, summary_rows
from app.model_options import add_options, open_model
from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from pandas import DataFrame

    from analysis.metrics import Metrics
    from model.bundle import Card, ModelBundle
    from model.ensemble import Ensemble
    from model.prediction import Predictor


class EvaluationError(ValueError):
    """The command line asks for what cannot be evaluated; the message says what and how to mend it."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "evaluate",
        help="print how well a model tells each class",
        description="Print precision, recall, F1 and AUC of every class, with 95 % intervals bootstrapped over "
        "lesions, from the test predictions in the model's bundle. With --data a labelled data set is predicted; of "
        "the one that the model was trained on, only its test part.",
    )
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to evaluate")
    parser.add_argument("--data", type=Path, metavar="PATH", help="labelled data set to predict and evaluate on")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the predictions of --data as Parquet")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the predictions of --data, with Grad-CAM maps, in the bundle of an imported model: what the "
        "dashboard's pages then show",
    )
    parser.add_argument(
        "--out-of-fold",
        action="store_true",
        help="pool the test predictions of the bundle and its other folds: each case, by a model that never saw it",
    )
    add_options(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print Markdown tables")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the evaluation; raises a ValueError that says why when there is nothing to evaluate."""
    from analysis.metrics import evaluate
    from analysis.predictions import annotate, read_predictions
    from app.jsonable import jsonable
    from model.bundle import load_bundle

    if arguments.out_of_fold:
        return _run_out_of_fold(arguments)
    bundle = load_bundle(arguments.model)
    card, name = bundle.card, bundle.card.name
    if arguments.data is None:
        if arguments.int8 or arguments.tta or arguments.ensemble or arguments.save is not None or arguments.keep:
            raise EvaluationError(
                "--int8, --tta, --ensemble, --save and --keep are for predicting images: name a data set by --data."
            )
        table = read_predictions(bundle.predictions_path, card.classes)
        metrics = evaluate(table, card.classes)
    else:
        if arguments.keep:
            _check_keep(arguments, card)
        cases, others = labelled_cases(arguments.data, card.classes, every=arguments.keep)
        predictions = _predictions(arguments, cases)
        table = annotate(predictions, card.classes, str(arguments.data), maps=arguments.keep)
        name = asked_name(name, int8=arguments.int8, tta=arguments.tta, ensemble=arguments.ensemble)
        metrics = evaluate(table, card.classes)
        if arguments.keep:
            _keep(bundle, predictions, metrics, arguments.data, others)
    if arguments.json:
        print(json.dumps({"model": name, **jsonable(metrics)}, indent=2))
    elif arguments.markdown:
        print(markdown(metrics))
    else:
        _print_tables(name, metrics)
        if "novel" in table:
            novel = table["novel"]
            print(f"Not taken for dermatoscopic images: {novel.sum():,} of {len(novel):,} ({novel.mean():.1%}).")
    return 0


def _run_out_of_fold(arguments: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.markdown import Markdown

    from analysis.cross_validation import cross_validation
    from app import out_of_fold_tables
    from app.jsonable import jsonable
    from model.bundle import folds, load_bundle

    if arguments.data or arguments.save or arguments.keep or arguments.int8 or arguments.tta or arguments.ensemble:
        raise EvaluationError("--out-of-fold reads what lies in the bundles of all folds: name no images or options.")
    found = cross_validation([load_bundle(path) for path in folds(arguments.model)])
    if arguments.json:
        print(json.dumps(jsonable(found), indent=2))
        return 0
    text = out_of_fold_tables.markdown(found)
    if arguments.markdown:
        print(text)
    else:
        Console().print(Markdown(text))
    return 0


def asked_name(name: str, *, int8: bool, tta: bool, ensemble: bool) -> str:
    """The name of a model with how it was asked."""
    name += ", int8" if int8 else ""
    return name + (" and its other folds" if ensemble else "") + (", averaged over flips and turns" if tta else "")


def labelled_cases(data: Path, classes: Sequence[str], *, every: bool = False) -> "tuple[DataFrame, int]":
    """The cases of `data` whose diagnosis is one of a model's `classes`, and the number of the others.

    Raises EvaluationError where fewer than two of the classes have cases, or with `every`, where one has none.
    """
    from model.cases import load_cases
    from model.classes import known_codes

    cases = load_cases(data, known_codes(classes))
    known = cases["diagnosis"].isin(classes)
    absent = [code for code in classes if code not in set(cases["diagnosis"])]
    if len(classes) - len(absent) < 2 or (every and absent):
        what = "so that nothing could be kept of it" if every else "so that there is nothing to tell apart"
        raise EvaluationError(f"No case in {data} is {' or '.join(absent)}, a class of this model, {what}.")
    if not known.all():
        print(
            f"Of {len(cases):,} images {known.sum():,} are taken: the model has no class for the diagnosis of the "
            "others.",
            file=sys.stderr,
        )
    return cases[known].reset_index(drop=True), int((~known).sum())


def _check_keep(arguments: argparse.Namespace, card: "Card") -> None:
    if card.calibrated:
        raise EvaluationError(f"{card.name} keeps the predictions of its own test part. Save others with --save FILE.")
    if arguments.int8 or arguments.tta or arguments.ensemble:
        raise EvaluationError("--keep keeps what the model alone says, asked once: leave --int8, --tta and --ensemble.")


def _keep(bundle: "ModelBundle", predictions: "DataFrame", metrics: "Metrics", data: Path, others: int) -> None:
    """Write predictions into the bundle of an imported model, and into its card of which data they are."""
    from analysis.audit import write_table
    from app.jsonable import jsonable
    from model.bundle import write_card
    from model.cases import fingerprint

    write_table(bundle.predictions_path, predictions)
    evaluation = {
        "data": data.resolve().name,
        "cases": metrics.cases,
        "lesions": metrics.lesions,
        "without_class": others,
        "fingerprint": fingerprint(predictions),
    }
    write_card(bundle.path, replace(bundle.card, metrics=jsonable(metrics), evaluation=evaluation))
    print(f"Kept in {bundle.path}. See it: lesionlens serve --model {bundle.path} --data {data}", file=sys.stderr)


def _predictions(arguments: argparse.Namespace, cases: "DataFrame") -> "DataFrame":
    """Predict those of `cases` that the model has not learnt from, and save the predictions where asked to."""
    from analysis.audit import write_table
    from analysis.case_predictions import predict_cases, predict_with_maps, unseen_cases
    from app.progress import progress_bar

    if arguments.save is not None and not arguments.save.parent.is_dir():
        raise EvaluationError(f"There is no folder {arguments.save.parent} to save to. Make it first.")
    model = open_model(arguments.model, ensemble=arguments.ensemble, int8=arguments.int8)
    alone, *_ = asked = members(model)
    unseen = unseen_cases(cases, [member.bundle for member in asked])
    if len(unseen) < len(cases):
        print(
            f"Of {len(cases):,} images {len(unseen):,} are taken: the model has learnt the others, or another image of "
            "their lesions.",
            file=sys.stderr,
        )
    with progress_bar("Predicting", len(unseen)) as advance:
        if arguments.keep:
            table = predict_with_maps(alone, unseen, advance)
        else:
            table = predict_cases(model, unseen, tta=arguments.tta, on_progress=advance)
    if arguments.save is not None:
        write_table(arguments.save, table)
    return table


def members(model: "Predictor | Ensemble") -> "tuple[Predictor, ...]":
    """The single models that are asked."""
    from model.prediction import Predictor

    return (model,) if isinstance(model, Predictor) else model.members


def _print_tables(name: str, metrics: "Metrics") -> None:
    from rich.console import Console
    from rich.table import Table

    summary = Table("Figure", title=name, title_justify="left", title_style="bold")
    for column in ("Value", "Chance"):
        summary.add_column(column, justify="right")
    for row in summary_rows(metrics):
        summary.add_row(*row)
    classes = Table("Diagnosis", caption=CAPTION, caption_justify="left")
    for column in COLUMNS[1:]:
        classes.add_column(column, justify="right")
    for index, cells in enumerate(class_rows(metrics)):
        two_lines = [cell.replace(" (", "\n").rstrip(")") for cell in cells]
        classes.add_row(*two_lines, end_section=index == len(metrics.classes) - 1)
    console = Console()
    console.print(summary, size(metrics), "", classes, sep="\n")

"""`lesionlens evaluate`: the figures of merit of a model on its test part."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.numbers import with_interval
from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from analysis.metrics import Metrics, Scores

COLUMNS = ("Diagnosis", "Cases", "Precision", "Recall", "F1", "AUC")
CAPTION = "95 % intervals, bootstrapped over lesions."


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "evaluate",
        help="print how well a model tells each class",
        description="Print precision, recall, F1 and AUC of every class, with 95 %% intervals bootstrapped over "
        "lesions, from the test predictions in the model's bundle.",
    )
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to evaluate")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print Markdown tables")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the evaluation; raises BundleError or PredictionsError when the bundle has nothing to evaluate."""
    from analysis.metrics import evaluate
    from analysis.predictions import read_predictions
    from app.jsonable import jsonable
    from model.bundle import load_bundle

    bundle = load_bundle(arguments.model)
    metrics = evaluate(read_predictions(bundle.predictions_path, bundle.card.classes), bundle.card.classes)
    if arguments.json:
        print(json.dumps({"model": bundle.card.name, **jsonable(metrics)}, indent=2))
    elif arguments.markdown:
        print(markdown(metrics))
    else:
        _print_tables(bundle.card.name, metrics)
    return 0


def class_rows(metrics: "Metrics") -> list[tuple[str, ...]]:
    """One row of text per class and per average, in the order of COLUMNS."""
    rows = [(row.code, row.cases, row.scores) for row in metrics.classes]
    rows += [("Macro average", metrics.cases, metrics.macro), ("Weighted average", metrics.cases, metrics.weighted)]
    return [(name, f"{cases:,}", *_score_cells(scores)) for name, cases, scores in rows]


def summary_rows(metrics: "Metrics") -> list[tuple[str, str, str]]:
    """Name, value with interval, and what chance reaches, of the figures that sum a model up."""
    melanoma = [row.scores.auc for row in metrics.classes if row.code == "mel"]
    return [
        ("Balanced accuracy", with_interval(metrics.balanced_accuracy), f"{metrics.chance_balanced_accuracy:.3f}"),
        ("Accuracy", with_interval(metrics.accuracy), f"{metrics.chance_accuracy:.3f}"),
        ("Macro AUC", with_interval(metrics.macro.auc), "0.500"),
        *(("Melanoma AUC", with_interval(auc), "0.500") for auc in melanoma),
    ]


def markdown(metrics: "Metrics") -> str:
    """Both tables in Markdown, for the README."""
    from model.classes import BY_CODE

    names = {code: f"{diagnosis.name} ({code})" for code, diagnosis in BY_CODE.items()}
    classes = [(names.get(first, first), *rest) for first, *rest in class_rows(metrics)]
    summary = _markdown_table(("Figure", "Value", "Chance"), summary_rows(metrics))
    return f"{summary}\n\n{_markdown_table(COLUMNS, classes)}\n\n{size(metrics)} {CAPTION}"


def size(metrics: "Metrics") -> str:
    """On how many cases and lesions the figures stand."""
    return f"{metrics.cases:,} test images of {metrics.lesions:,} lesions."


def _score_cells(scores: "Scores") -> tuple[str, ...]:
    return tuple(with_interval(one) for one in (scores.precision, scores.recall, scores.f1, scores.auc))


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (columns, rule, *rows))


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

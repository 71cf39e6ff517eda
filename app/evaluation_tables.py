"""What a model's evaluation comes to as tables of text: on the terminal, in its card and in the README."""

from typing import TYPE_CHECKING

from app.markdown import markdown_table
from app.numbers import with_interval
from model.classes import BY_CODE

if TYPE_CHECKING:
    from analysis.metrics import Metrics, Scores

COLUMNS = ("Diagnosis", "Cases", "Precision", "Recall", "F1", "AUC")
CAPTION = "95 % intervals, bootstrapped over lesions."


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
    names = {code: f"{diagnosis.name} ({code})" for code, diagnosis in BY_CODE.items()}
    classes = [(names.get(first, first), *rest) for first, *rest in class_rows(metrics)]
    summary = markdown_table(("Figure", "Value", "Chance"), summary_rows(metrics))
    return f"{summary}\n\n{markdown_table(COLUMNS, classes)}\n\n{size(metrics)} {CAPTION}"


def size(metrics: "Metrics") -> str:
    """On how many cases and lesions the figures stand."""
    return f"{metrics.cases:,} test images of {metrics.lesions:,} lesions."


def _score_cells(scores: "Scores") -> tuple[str, ...]:
    return tuple(with_interval(one) for one in (scores.precision, scores.recall, scores.f1, scores.auc))

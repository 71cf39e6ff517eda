"""The tables of leakage as text: the same on the command line, on the dashboard and in files to download."""

from collections.abc import Sequence

import pandas as pd

from analysis.leakage import Face, Memory
from analysis.metrics import Metrics, Scores
from analysis.overlap import TOTAL, of_all_folds
from app.numbers import decimal, percent, with_interval

OVERLAP_COLUMNS = ("Diagnosis", "Test rows", "Image in training", "Lesion in training")
REPORT_COLUMNS = ("", "precision", "recall", "f1-score", "support")
MEMORY_COLUMNS = ("Diagnosis", "Test rows", "Copies", "Seen", "Accuracy on seen", "Accuracy on unseen")


def overlap_rows(table: pd.DataFrame, protocol: str) -> list[list[str]]:
    """One row of text for each diagnosis, the total last, for all folds together; the columns are OVERLAP_COLUMNS."""
    shown = of_all_folds(table[table["protocol"] == protocol])
    return [*_overlap_cells(shown[shown["diagnosis"] != TOTAL]), *_overlap_cells(shown[shown["diagnosis"] == TOTAL])]


def fold_rows(table: pd.DataFrame, protocol: str) -> list[list[str]]:
    """One row of text for the total of each fold, in the columns of `overlap_rows`; none where there is but one."""
    chosen = (table["protocol"] == protocol) & (table["diagnosis"] == TOTAL) & table["fold"].notna()
    totals = table[chosen].assign(diagnosis=[f"fold {fold}" for fold in table.loc[chosen, "fold"]])
    return _overlap_cells(totals) if len(totals) > 1 else []


def comparison_rows(faces: Sequence[Face]) -> list[list[str]]:
    """Each figure of merit with its value for every face, and what chance reaches on that face's test rows."""

    def row(name: str, values: Sequence[str]) -> list[str]:
        return [name, *values]

    metrics = [one.metrics for one in faces]
    totals = [one.memory[0] for one in faces]
    return [
        row("Test rows", [f"{one.cases:,} of {one.lesions:,} lesions" for one in metrics]),
        row("Copies of a training image", [percent(one.copies) for one in totals]),
        row("Lesion in training", [percent(one.seen / one.rows) for one in totals]),
        row("Optimiser steps", [f"{one.training.steps:,} in {one.training.epochs} epochs" for one in faces]),
        row("Accuracy", [with_interval(one.accuracy) for one in metrics]),
        row("Accuracy by chance", [decimal(one.chance_accuracy) for one in metrics]),
        row("Balanced accuracy", [with_interval(one.balanced_accuracy) for one in metrics]),
        row("Balanced accuracy, called in proportion", [with_interval(one.adjusted) for one in faces]),
        row("Balanced accuracy by chance", [decimal(one.chance_balanced_accuracy) for one in metrics]),
        row("Macro AUC (chance 0.500)", [with_interval(one.macro.auc) for one in metrics]),
        row("Accuracy on rows seen in training", [with_interval(one.accuracy_seen) for one in totals]),
        row("Accuracy on unseen rows", [with_interval(one.accuracy_unseen) for one in totals]),
    ]


def report_rows(metrics: Metrics) -> list[list[str]]:
    """The table of scikit-learn's `classification_report`, with intervals; its columns are REPORT_COLUMNS."""
    return [
        *(_report_row(row.code, row.scores, row.cases) for row in metrics.classes),
        ["accuracy", "", "", with_interval(metrics.accuracy), f"{metrics.cases:,}"],
        _report_row("macro avg", metrics.macro, metrics.cases),
        _report_row("weighted avg", metrics.weighted, metrics.cases),
    ]


def memory_rows(memory: Sequence[Memory]) -> list[list[str]]:
    """Rows seen in training and accuracy on them and on the others; the columns are MEMORY_COLUMNS."""
    return [
        [
            one.diagnosis,
            f"{one.rows:,}",
            percent(one.copies),
            percent(one.seen / one.rows),
            with_interval(one.accuracy_seen),
            with_interval(one.accuracy_unseen),
        ]
        for one in (*memory[1:], memory[0])
    ]


def _report_row(name: str, scores: Scores, support: int) -> list[str]:
    return [name, *(with_interval(one) for one in (scores.precision, scores.recall, scores.f1)), f"{support:,}"]


def _overlap_cells(table: pd.DataFrame) -> list[list[str]]:
    columns = (table["diagnosis"], table["rows"], table["image"], table["lesion"])
    return [
        [name, f"{rows:,}", percent(image), percent(lesion)] for name, rows, image, lesion in zip(*columns, strict=True)
    ]


def comparison_note(faces: Sequence[Face]) -> str:
    """How the two faces are to be compared, the leaky one first."""
    return (
        "Compare balanced accuracies: accuracy is high by chance where one diagnosis rules the test part. "
        f"{other_rows(faces[0])}"
    )


def other_rows(leaky: Face) -> str:
    """Of what diagnosis the leaky split's unseen rows are: nothing that the seen ones can be held against."""
    total, *diagnoses = ((one.diagnosis, one.rows - one.seen) for one in leaky.memory)
    if not total[1]:
        return "The oversampled test part has no other rows: it says nothing about new lesions."
    code, count = max(diagnoses, key=lambda one: one[1])
    return f"Of the {total[1]:,} other oversampled rows {count:,} are of {code}: compare like with like, by diagnosis."

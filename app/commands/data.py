"""`lesionlens data check`: whether a data set is sound, and every file that is not."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.data_check import DataReport, Finding

FILES_NAMED_IN_A_NOTE = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("data", help="look after a data set", description="Look after a data set.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="check that a data set is complete and sound",
        description="Decode every image of a data set and check its labels. Prints the counts by diagnosis and every "
        "damaged file; the exit status is 1 when there is damage and 0 when the data set is sound.",
    )
    check.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="folder with HAM10000_metadata.csv and its images, an ISIC …_GroundTruth.csv, or one folder per class",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the report; raises DataError when the path is no data set."""
    report = _check(arguments.path)
    if arguments.json:
        print(json.dumps({"path": str(arguments.path), "sound": report.sound, **asdict(report)}, indent=2))
    else:
        _print_report(arguments.path, report)
    return 0 if report.sound else 1


def _check(path: Path) -> "DataReport":
    from app.progress import progress_bar
    from model.data_check import check_data

    with progress_bar("Checking images") as advance:
        return check_data(path, advance)


def _print_report(path: Path, report: "DataReport") -> None:
    from rich.console import Console
    from rich.table import Table

    from model.classes import BY_CODE

    console = Console(highlight=False, markup=False, soft_wrap=True)
    table = Table("Diagnosis", title=str(path), title_justify="left")
    for column in ("Images", "Lesions"):
        table.add_column(column, justify="right")
    for code, images in report.images.items():
        name = f"{BY_CODE[code].name} ({code})" if code in BY_CODE else f"unknown: {code}"
        table.add_row(name, f"{images:,}", f"{report.lesions[code]:,}")
    table.add_section()
    table.add_row("All", f"{sum(report.images.values()):,}", f"{sum(report.lesions.values()):,}")
    console.print(table)
    for finding in report.findings:
        console.print(f"{'Damage' if finding.damage else 'Note'}, {finding.kind}: {_in_words(finding)}")
    damage = sum(finding.damage for finding in report.findings)
    console.print("Sound: no damage found." if report.sound else f"Damaged: {damage} to mend.")


def _in_words(finding: "Finding") -> str:
    if finding.damage:
        return f"{finding.message} {', '.join(finding.files)}"
    names = [Path(file).name for file in finding.files]
    more = f" and {len(names) - FILES_NAMED_IN_A_NOTE:,} more" if len(names) > FILES_NAMED_IN_A_NOTE else ""
    return f"{finding.message} {', '.join(names[:FILES_NAMED_IN_A_NOTE])}{more}".rstrip()

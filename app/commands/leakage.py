"""`lesionlens leakage`: how much of a test part the training part has seen, and what that does to a network."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.save_option import add_save_option
from model.image_cache import CACHE_FOLDER

if TYPE_CHECKING:
    from pandas import DataFrame

    from analysis.leakage import Face

NO_LESIONS = (
    "This data set does not say which images show one lesion: only copies of an image can be seen, and lesions with "
    "several images may be in two parts under every protocol."
)
COMPARISON = "The same network under the same budget, on the test part of either protocol"
OVERLAP_CAPTION = "Shares of the test rows whose image, or whose lesion, is also in the training part."
DECISION = "The most probable class counts as called. 95 % intervals, bootstrapped over lesions."
SEEN = "A row is a copy when its image is in the training part, and seen when its lesion is."


@dataclass(frozen=True)
class Section:
    """A table as text, in groups of rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Sequence[str]]]
    caption: str


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    from model.splits import PROTOCOLS

    parser = subparsers.add_parser(
        "leakage",
        help="show how much of a test part training has seen",
        description="Print the share of test rows whose image, or whose lesion, is also in training, by diagnosis and "
        "protocol. With --models also what the same network, trained with the same budget on a leaky and on an honest "
        "split, reaches on the test part of either.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="data set to split")
    parser.add_argument("--protocol", choices=PROTOCOLS, help="split by this protocol only (default: by each)")
    parser.add_argument("--fold", type=int, metavar="N", help="this fold only (default: all folds)")
    parser.add_argument(
        "--models",
        type=Path,
        nargs=2,
        metavar="BUNDLE",
        help="model bundles of two trainings that differ in nothing but protocol oversampled or lesion",
    )
    add_save_option(parser, "the table, and the models' predictions, for the dashboard's Leakage page")
    parser.add_argument("--cache", type=Path, default=CACHE_FOLDER, metavar="DIR", help="where decoded images are kept")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print Markdown tables")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; raises DataError, BundleError or LeakageError for what cannot be measured or compared."""
    from analysis.leakage import face, predictions_file
    from analysis.overlap import OVERLAP_FILE, has_lesions
    from analysis.predictions import check_kept_data
    from model.cases import read_cases

    if arguments.save is not None and (arguments.protocol, arguments.fold) != (None, None):
        raise ValueError("--save keeps the table of all protocols and folds: leave --protocol and --fold away.")
    cases = read_cases(arguments.data)
    if arguments.save is not None:
        check_kept_data(arguments.save, cases)
    tables = [] if arguments.models is None else _predicted(arguments.data, arguments.models, arguments.cache)
    overlap = _overlap(cases, arguments.protocol, arguments.fold)
    faces = [face(table) for table in tables]
    if arguments.save is not None:
        _save(arguments.save, {OVERLAP_FILE: overlap})
        protocols = [one.training.protocol for one in faces]
        _save(arguments.save, dict(zip(map(predictions_file, protocols), tables, strict=True)))
    if arguments.json:
        print(json.dumps(answer(arguments.data, overlap, faces, has_lesions(cases)), indent=2))
        return 0
    shown = sections(overlap, faces)
    if arguments.markdown:
        print("\n".join(map(_markdown, shown)))
    else:
        _print_tables(shown)
    if not has_lesions(cases):
        print(NO_LESIONS, file=sys.stderr)
    return 0


def answer(data: Path, overlap: "DataFrame", faces: Sequence["Face"], lesions_known: bool) -> dict[str, Any]:
    """Everything as one JSON object."""
    from app.jsonable import jsonable

    about = {"data": str(data), "lesions_known": lesions_known, "overlap": jsonable(overlap)}
    return about if not faces else {**about, "faces": jsonable(faces)}


def sections(overlap: "DataFrame", faces: Sequence["Face"]) -> Iterator[Section]:
    """All tables as text, the largest question first."""
    from app import leakage_tables as tables

    protocols = [one.training.protocol for one in faces]
    if faces:
        caption = f"{DECISION} {tables.comparison_note(faces)}"
        yield Section(COMPARISON, ["Figure", *protocols], [tables.comparison_rows(faces)], caption)
    for name in overlap["protocol"].unique():
        rows, folds = tables.overlap_rows(overlap, name), tables.fold_rows(overlap, name)
        yield Section(f"Protocol {name}", tables.OVERLAP_COLUMNS, [rows[:-1], rows[-1:], folds], OVERLAP_CAPTION)
    for name, one in zip(protocols, faces, strict=True):
        report, memory = tables.report_rows(one.metrics), tables.memory_rows(one.memory)
        yield Section(f"Protocol {name}: test report", tables.REPORT_COLUMNS, [report[:-3], report[-3:]], DECISION)
        yield Section(f"Protocol {name}: memory", tables.MEMORY_COLUMNS, [memory[:-1], memory[-1:]], SEEN)


def _overlap(cases: "DataFrame", protocol: str | None, fold: int | None) -> "DataFrame":
    import pandas as pd

    from analysis.overlap import overlap_table
    from app.progress import progress_bar
    from model.splits import PROTOCOLS

    chosen = [protocol] if protocol is not None else [name for name in PROTOCOLS if not fold or name != "oversampled"]
    tables = []
    with progress_bar("Splitting", len(chosen)) as advance:
        for done, name in enumerate(chosen, start=1):
            tables.append(overlap_table(cases, [name], fold))
            advance(done)
    return pd.concat(tables, ignore_index=True)


def _predicted(data: Path, models: Sequence[Path], cache: Path) -> list["DataFrame"]:
    """The test predictions of both models, the leaky one's first."""
    from analysis.leakage import COMPARED, LeakageError, check_comparable, predict_test_rows, training_of
    from app.progress import progress_bar
    from model.bundle import load_bundle
    from model.cases import fingerprint, load_cases
    from model.image_cache import cached_images
    from model.prediction import Predictor
    from model.splits import split

    bundles = [load_bundle(path) for path in models]
    bundles.sort(key=lambda bundle: bundle.card.split.get("protocol") == COMPARED[1])
    trainings = [training_of(bundle.card) for bundle in bundles]
    check_comparable(trainings)
    cases = load_cases(data)
    if trainings[0].data != fingerprint(cases):
        raise LeakageError(f"{data} is not the data set that {trainings[0].model} was trained on.")
    images = cached_images(list(cases["path"]), trainings[0].size, cache)
    tables = []
    with progress_bar("Predicting", len(bundles)) as advance:
        for done, (bundle, training) in enumerate(zip(bundles, trainings, strict=True), start=1):
            parts = split(cases, training.protocol, training.fold, bundle.card.split["seed"])
            tables.append(predict_test_rows(Predictor(bundle), cases, parts, images))
            advance(done)
    return tables


def _save(folder: Path, tables: dict[str, "DataFrame"]) -> None:
    from analysis.audit import write_table

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_table(folder / name, table)
        print(f"Written: {folder / name}", file=sys.stderr)


def _print_tables(shown: Iterable[Section]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for one in shown:
        table = Table(title=one.title, title_justify="left", title_style="bold")
        for index, column in enumerate(one.columns):
            table.add_column(column, justify="right" if index else "left")
        for rows in one.rows:
            for cells in rows:
                table.add_row(*cells)
            table.add_section()
        console.print(table, one.caption, "", sep="\n")


def _markdown(one: Section) -> str:
    from app.markdown import markdown_table

    rows = [cells for rows in one.rows for cells in rows]
    return f"{one.title}:\n\n{markdown_table(one.columns, rows)}\n\n{one.caption}\n"

"""`lesionlens localisation`: does the model look at the lesion, and how good are estimated lesion masks?"""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.save_option import add_save_option
from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from pandas import DataFrame

    from analysis.bootstrap import Estimate
    from model.bundle import ModelBundle

LOCALISATION_FILE = "localisation.json"


@dataclass(frozen=True)
class Figures:
    """What is measured: the ratios by what the model says, the Dice overlaps by diagnosis and, weighted, of all.

    `weights` is the SHA-256 of the model's weights, for which alone they hold.
    """

    model: str
    weights: str
    attention_cases: int
    attention: "Mapping[str, Estimate]"
    segmented_cases: int
    dice: "Mapping[str, Estimate]"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "localisation",
        help="measure whether the model looks at the lesion",
        description="Print the ratio of mean Grad-CAM activation in background to lesion over the model's test cases, "
        "beside that of Tschandl et al. 2020; and the Dice overlap of estimated lesion masks with those of the data "
        "set. With --audit, the ratio over an audit's cases. Intervals are at 95 %, over lesions.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="data set with lesion masks")
    measured = parser.add_mutually_exclusive_group()
    measured.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle")
    measured.add_argument("--audit", type=Path, metavar="DIR", help="an audit's cases, instead of a model's")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_save_option(parser, "the figures, for the table in the README")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures; raises DataError where there are no masks, BundleError, PredictionsError or AuditError."""
    from analysis.predictions import check_kept_data
    from app.jsonable import jsonable
    from model.atomic import write_atomically
    from model.bundle import load_bundle
    from model.cases import DataError, load_cases

    if arguments.audit is not None and arguments.save is not None:
        raise DataError("Only the figures of a model are kept: leave out --save or --audit.")
    cases = load_cases(arguments.data)
    if cases["mask_path"].isna().all():
        raise DataError(
            f"{arguments.data} has no lesion masks; HAM10000 has them in the folder "
            "HAM10000_segmentations_lesion_tschandl."
        )
    if arguments.audit is not None:
        return _print_audited(arguments, cases)
    bundle = load_bundle(arguments.model)
    if arguments.save is not None:
        check_kept_data(arguments.save, cases, bundle.path)
        arguments.save.mkdir(parents=True, exist_ok=True)
    figures = _measured(bundle, cases)
    text = json.dumps(jsonable(figures), indent=1) + "\n"
    if arguments.save is not None:
        write_atomically(arguments.save / LOCALISATION_FILE, text.encode())
    print(text if arguments.json else markdown(figures))
    return 0


def kept_figures(folder: Path) -> Figures:
    """The figures that `--save` kept in `folder`."""
    from analysis.bootstrap import Estimate

    fields = json.loads((folder / LOCALISATION_FILE).read_text(encoding="utf-8"))
    estimates = {
        name: {key: Estimate(**estimate) for key, estimate in fields[name].items()} for name in ("attention", "dice")
    }
    return Figures(**{**fields, **estimates})


def markdown(figures: Figures) -> str:
    """The figures as two tables, each under a sentence."""
    return "\n\n".join(_tables(figures))


def _measured(bundle: "ModelBundle", cases: "DataFrame") -> Figures:
    from analysis.attention import attention, attention_ratios
    from analysis.predictions import read_predictions
    from analysis.segmentation_quality import mean_dice, segmentation_quality
    from app.progress import progress_bar

    table = read_predictions(bundle.predictions_path, bundle.card.classes)
    with progress_bar("Looking at masks", len(table)) as advance:
        ratios = attention_ratios(table, cases, bundle.card.classes, advance)
    with progress_bar("Estimating masks") as advance:
        overlaps = segmentation_quality(cases, on_progress=advance)
    return Figures(
        bundle.card.name,
        bundle.weights_digest,
        len(ratios),
        attention(ratios),
        len(overlaps),
        mean_dice(overlaps, cases["diagnosis"].value_counts()),
    )


def _print_audited(arguments: argparse.Namespace, cases: "DataFrame") -> int:
    from analysis.attention import attention, audited_ratios
    from analysis.audit_reader import open_audit
    from app.jsonable import jsonable
    from app.progress import progress_bar
    from model.cases import DataError

    audit = open_audit(arguments.audit)
    with progress_bar("Looking at masks", audit.manifest.rows) as advance:
        ratios = audited_ratios(audit, cases, advance)
    if ratios.empty:
        raise DataError(f"{arguments.data} has masks of no case of the audit in {arguments.audit}.")
    found, names = attention(ratios), [each.name for each in audit.manifest.models]
    if arguments.json:
        print(json.dumps(jsonable({"models": names, "attention_cases": len(ratios), "attention": found}), indent=1))
    else:
        print("\n\n".join(_attention_table(f"{len(ratios):,} audited cases of {', '.join(names)}", found)))
    return 0


def _tables(figures: Figures) -> Iterator[str]:
    from app.markdown import markdown_table
    from app.numbers import with_interval

    yield from _attention_table(f"{figures.attention_cases:,} test cases of {figures.model}", figures.attention)
    yield f"Dice overlap of estimated lesion masks with those of the data set, on {figures.segmented_cases:,} images:"
    yield markdown_table(["Diagnosis", "Dice"], [[name, with_interval(dice)] for name, dice in figures.dice.items()])


def _attention_table(of: str, found: "Mapping[str, Estimate]") -> Iterator[str]:
    from analysis.attention import PUBLISHED
    from app.markdown import markdown_table
    from app.numbers import with_interval

    yield (
        "Mean Grad-CAM activation of a background pixel over that of a lesion pixel, for the most probable class, on "
        f"{of}:"
    )
    rows = [[name, with_interval(ratio), f"{PUBLISHED[name]:.2f}"] for name, ratio in found.items()]
    yield markdown_table(["The model says", "here", "Tschandl et al. 2020, ResNet-34"], rows)

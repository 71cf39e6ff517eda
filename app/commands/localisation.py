"""`lesionlens localisation`: does the model look at the lesion, and how good are estimated lesion masks?"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.save_option import add_save_option
from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from pandas import DataFrame

    from analysis.audit_reader import Audit
    from analysis.bootstrap import Estimate
    from model.bundle import ModelBundle

MODEL_FILE, AUDIT_FILE = "localisation.json", "localisation_audit.json"


@dataclass(frozen=True)
class Attention:
    """The ratios by what a model says, over `cases`: `those` cases, of models by name with their weights' SHA-256.

    Of `left_out` cases the map has nothing in the lesion, so that they have no ratio.
    """

    those: str
    cases: int
    left_out: int
    models: Mapping[str, str]
    ratios: "Mapping[str, Estimate]"


@dataclass(frozen=True)
class Segmentation:
    """The Dice overlaps of estimated masks over `cases`, by diagnosis and, weighted, of all."""

    cases: int
    dice: "Mapping[str, Estimate]"


@dataclass(frozen=True)
class Figures:
    """What is measured; of an audit the attention alone."""

    attention: Attention
    segmentation: Segmentation | None


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
    from analysis.audit_reader import open_audit
    from app.jsonable import jsonable
    from model.atomic import write_atomically
    from model.bundle import load_bundle
    from model.cases import DataError, load_cases
    from model.classes import known_codes

    bundle = load_bundle(arguments.model)
    audit = None if arguments.audit is None else open_audit(arguments.audit)
    cases = load_cases(arguments.data, known_codes(bundle.card.classes if audit is None else audit.manifest.classes))
    if cases["mask_path"].isna().all():
        raise DataError(
            f"{arguments.data} has no lesion masks; HAM10000 has them in the folder "
            "HAM10000_segmentations_lesion_tschandl."
        )
    if arguments.save is not None:
        _check_kept(arguments, cases)
        arguments.save.mkdir(parents=True, exist_ok=True)
    if audit is None:
        name, figures = MODEL_FILE, _of_model(bundle, cases)
    else:
        name, figures = AUDIT_FILE, _of_audit(audit, cases)
    text = json.dumps(jsonable(figures), indent=1) + "\n"
    if arguments.save is not None:
        write_atomically(arguments.save / name, text.encode())
    print(text if arguments.json else markdown(figures))
    return 0


def kept_figures(path: Path) -> Figures:
    """The figures that `--save` kept in a file."""
    from analysis.bootstrap import Estimate

    def estimates(fields: Mapping[str, Mapping[str, float]]) -> dict[str, Estimate]:
        return {name: Estimate(**estimate) for name, estimate in fields.items()}

    kept = json.loads(path.read_text(encoding="utf-8"))
    attention, segmentation = kept["attention"], kept["segmentation"]
    return Figures(
        Attention(**{**attention, "ratios": estimates(attention["ratios"])}),
        segmentation and Segmentation(segmentation["cases"], estimates(segmentation["dice"])),
    )


def markdown(*measured: Figures) -> str:
    """The ratios of all that is measured in one table, and each one's Dice overlaps in another, under a sentence."""
    return "\n\n".join(_tables(measured))


def _check_kept(arguments: argparse.Namespace, cases: "DataFrame") -> None:
    """Raise PredictionsError where figures of anything else would replace the committed ones."""
    from analysis.audit_predictions import SHIPPED_AUDIT
    from analysis.predictions import COMMITTED, PredictionsError, check_kept_data

    check_kept_data(arguments.save, cases, arguments.model)
    other = arguments.audit is not None and arguments.audit.resolve() != SHIPPED_AUDIT
    if other and arguments.save.resolve() == COMMITTED:
        raise PredictionsError(
            f"{COMMITTED} keeps the figures of the shipped audit: give others a folder, by --save DIR."
        )


def _of_model(bundle: "ModelBundle", cases: "DataFrame") -> Figures:
    from analysis.attention import attention_ratios
    from analysis.predictions import read_predictions
    from analysis.segmentation_quality import mean_dice, segmentation_quality
    from app.progress import progress_bar

    table = read_predictions(bundle.predictions_path, bundle.card.classes)
    with progress_bar("Looking at masks", len(table)) as advance:
        ratios = attention_ratios(table, cases, bundle.card.classes, advance)
    with progress_bar("Estimating masks") as advance:
        overlaps = segmentation_quality(cases, on_progress=advance)
    models = {bundle.card.name: bundle.weights_digest}
    return Figures(
        _attention("test", ratios, models),
        Segmentation(len(overlaps), mean_dice(overlaps, cases["diagnosis"].value_counts())),
    )


def _of_audit(audit: "Audit", cases: "DataFrame") -> Figures:
    from analysis.attention import audited_ratios
    from app.progress import progress_bar
    from model.cases import DataError

    with progress_bar("Looking at masks", audit.manifest.rows) as advance:
        ratios = audited_ratios(audit, cases, advance)
    if ratios.empty:
        raise DataError(f"The data set has masks of no case of the audit in {audit.folder}.")
    models = {each.name: each.weights for each in audit.manifest.models}
    return Figures(_attention("audited", ratios, models), None)


def _attention(those: str, ratios: "DataFrame", models: Mapping[str, str]) -> Attention:
    from analysis.attention import attention, bounded

    return Attention(those, len(ratios), int((~bounded(ratios)).sum()), models, attention(ratios))


def _tables(measured: Sequence[Figures]) -> Iterator[str]:
    from analysis.attention import PUBLISHED
    from app.markdown import markdown_table
    from app.numbers import with_interval

    each = [figures.attention for figures in measured]
    of = "; ".join(
        f"{one.cases:,} {one.those} cases of {', '.join(one.models)}"
        + (f" but for {one.left_out} whose maps have nothing in the lesion" if one.left_out else "")
        for one in each
    )
    yield (
        "Mean Grad-CAM activation of a background pixel over that of a lesion pixel, for the most probable class, on "
        f"{of}:"
    )
    header = [
        "The model says",
        *(f"{one.cases:,} {one.those} cases" for one in each),
        "Tschandl et al. 2020, ResNet-34",
    ]
    rows = [
        [name, *(with_interval(one.ratios[name]) for one in each), f"{published:.2f}"]
        for name, published in PUBLISHED.items()
    ]
    yield markdown_table(header, rows)
    for segmentation in (figures.segmentation for figures in measured if figures.segmentation is not None):
        yield f"Dice overlap of estimated lesion masks with those of the data set, on {segmentation.cases:,} images:"
        yield markdown_table(
            ["Diagnosis", "Dice"], [[name, with_interval(dice)] for name, dice in segmentation.dice.items()]
        )

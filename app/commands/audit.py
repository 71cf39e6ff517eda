"""`lesionlens audit`: predictions, heatmaps, embeddings, image quality and explanation measures of a whole data set."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from analysis.audit_parts import AuditPart
    from model.bundle import ModelBundle

SAMPLE_SEED = 0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "audit",
        help="run a model over a whole data set and keep all that it says",
        description="Write one row a case into Parquet parts: prediction, Grad-CAM maps of every class, embedding, "
        "image quality, and with --measures what explanations are worth. audit.json in the folder says what the "
        "columns mean. Killed at any moment, the same command goes on where it stopped.",
    )
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to audit")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the data set")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the audit")
    parser.add_argument(
        "--out-of-fold",
        action="store_true",
        help="predict each case by that one of the bundle and its other folds which never saw its lesion",
    )
    parser.add_argument(
        "--sample",
        type=_positive,
        metavar="N",
        help=f"only N cases of different lesions that the model never saw, drawn with seed {SAMPLE_SEED}",
    )
    parser.add_argument(
        "--measures",
        metavar="METHODS",
        help="explain the called class by these methods (all: every method and control) and measure the maps",
    )
    parser.add_argument("--no-image-quality", action="store_true", help="leave out hair, ruler, ink and the like")
    parser.add_argument(
        "--ray-address", metavar="ADDRESS", help="write the parts on this Ray cluster (local: one on this machine)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the audit or go on with it; raises AuditError, BundleError, DataError or ImageError for what cannot be."""
    from analysis.audit_manifest import begin_or_resume, manifest
    from analysis.audit_measures import VERSION
    from analysis.audit_parts import cases_by_model, divided, part_rows, sampled
    from app.method_list import method_list
    from app.progress import progress_bar
    from model.cases import fingerprint, load_cases
    from model.classes import known_codes

    methods = () if arguments.measures is None else tuple(method_list(arguments.measures))
    bundles = _bundles(arguments.model, out_of_fold=arguments.out_of_fold)
    every = load_cases(arguments.data, known_codes(bundles[0].card.classes))
    cases = every if arguments.sample is None else sampled(every, bundles, arguments.sample, SAMPLE_SEED)
    quality = not arguments.no_image_quality
    parts = divided(cases_by_model(cases, bundles), bundles, arguments.out, methods, quality)
    parameters = {
        "out_of_fold": arguments.out_of_fold,
        "sample": arguments.sample,
        "sample_seed": SAMPLE_SEED,
        "measures": list(methods),
        "image_quality": quality,
        "part_rows": part_rows(methods),
        **({"measures_version": VERSION} if methods else {}),
    }
    begin_or_resume(arguments.out, manifest(bundles, fingerprint(every), parameters, len(cases), len(parts)))
    missing = [part for part in parts if not part.file.exists()]
    finished = len(cases) - sum(len(part.cases) for part in missing)
    with progress_bar("Auditing", len(cases)) as advance:
        advance(finished)
        _write(missing, arguments.ray_address, lambda done: advance(finished + done))
    size = sum(part.file.stat().st_size for part in parts)
    resumed = f" ({finished:,} were there)" if finished else ""
    print(f"{arguments.out}: {len(cases):,} cases{resumed} in {len(parts):,} parts, {size / 1e6:.1f} MB")
    return 0


def _write(parts: "Sequence[AuditPart]", ray_address: str | None, advance: Callable[[int], None]) -> None:
    from analysis.audit_parts import write_part

    if ray_address is not None:
        from analysis.audit_on_ray import write_parts_on_ray

        write_parts_on_ray(parts, ray_address, advance)
        return
    written = 0
    for part in parts:
        written += write_part(part, partial(_advance_from, written, advance))


def _advance_from(before: int, advance: Callable[[int], None], done: int) -> None:
    advance(before + done)


def _bundles(path: Path, *, out_of_fold: bool) -> "list[ModelBundle]":
    from analysis.audit_manifest import AuditError
    from model.bundle import folds, load_bundle

    if not out_of_fold:
        return [load_bundle(path)]
    members = folds(path)
    if len(members) < 2:
        raise AuditError(f"--out-of-fold needs the other folds beside {path}; there are none.")
    return [load_bundle(member) for member in members]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)

"""`lesionlens export`: a model as TensorFlow Lite and ONNX files, and what each costs in size, time and accuracy."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.save_option import add_save_option
from model.image_cache import CACHE_FOLDER
from model.machine import machine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from analysis.exports import Export
    from model.bundle import ModelBundle

    Logits = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

COLUMNS = ("Format", "Size", "Latency", "Balanced accuracy", "Difference", "Called alike")
TIMED_RUNS = 50
BATCH = 32


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    from model.file_formats import CALIBRATION_IMAGES, FORMATS

    parser = subparsers.add_parser(
        "export",
        help="write a model as TensorFlow Lite and ONNX files",
        description="Write a model in other formats. Every file takes float32 RGB images in [0, 255] of the model's "
        f"input size and gives logits. The int8 formats are calibrated with {CALIBRATION_IMAGES} images, so "
        "that they need --data; with it every file is also measured on the test part against the original. "
        "--format onnx-int8 --out BUNDLE adds the graph that `--int8` of predict and serve runs.",
    )
    parser.add_argument("model", type=Path, metavar="BUNDLE", help="model bundle to export")
    parser.add_argument(
        "--format",
        dest="formats",
        type=lambda text: text.split(","),
        default=list(FORMATS),
        metavar="FORMAT,…",
        help=f"formats, with commas between them (default: {','.join(FORMATS)})",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="the data set that the model was trained on, or of an imported one any",
    )
    parser.add_argument("--cache", type=Path, default=CACHE_FOLDER, metavar="DIR", help="where decoded images are kept")
    add_save_option(parser, "every format's predictions of the test part, for the table in the README")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files, and with --data print the table; raises BundleError, DataError or ValueError."""
    from model.bundle import load_bundle

    _check(arguments)
    bundle = load_bundle(arguments.model)
    images = None if arguments.data is None else _images(bundle, arguments.data, arguments.cache)
    files = _write(bundle, arguments.formats, arguments.out, images)
    if images is None:
        sizes = {name: file.stat().st_size for name, file in files.items()}
        print(json.dumps({"model": bundle.card.name, "bytes": sizes}) if arguments.json else _sizes(sizes))
        return 0
    table = _measured(bundle, images, files)
    if arguments.save is not None:
        _save(arguments.save, table)
    _print(arguments, table)
    return 0


def rows(exports: Sequence["Export"]) -> list[list[str]]:
    """One row of text for each format, in the columns of COLUMNS."""
    from app.numbers import percent, signed_interval, with_interval

    return [
        [
            one.format,
            f"{one.bytes / 1e6:.1f} MB",
            f"{one.milliseconds:.1f} ms",
            with_interval(one.balanced_accuracy),
            "" if one.format == exports[0].format else signed_interval(one.difference),
            percent(one.same_call),
        ]
        for one in exports
    ]


def verdict(exports: Sequence["Export"]) -> str:
    """Whether the quantised ONNX file may be served, or nothing where it was not made."""
    from analysis.exports import TOLERABLE_LOSS

    quantised = [one for one in exports if one.format == "onnx-int8"]
    if not quantised:
        return ""
    if quantised[0].serves:
        return f" onnx-int8 loses less than {TOLERABLE_LOSS} in balanced accuracy: it may be served with --int8."
    return f" onnx-int8 loses {TOLERABLE_LOSS} in balanced accuracy or more: it should not be served."


@dataclass(frozen=True, eq=False)
class Images:
    """The prepared images that an export needs: uint8 (n, size, size, 3), those of the test part with their cases."""

    calibration: "NDArray[np.uint8]"
    test: "NDArray[np.uint8]"
    cases: "DataFrame"


def _check(arguments: argparse.Namespace) -> None:
    from analysis.predictions import COMMITTED
    from model.bundle import DEFAULT_BUNDLE
    from model.file_formats import FORMATS

    unknown = [name for name in arguments.formats if name not in FORMATS]
    if unknown:
        raise ValueError(f"Unknown format {', '.join(unknown)}; known are {', '.join(FORMATS)}.")
    calibrated = [name for name in arguments.formats if FORMATS[name].calibrated]
    if arguments.data is None and (calibrated or arguments.save is not None):
        what = f"{' and '.join(calibrated)} are calibrated with images" if calibrated else "--save measures"
        raise ValueError(f"{what}: give the data set with --data.")
    whole = arguments.model.resolve() == DEFAULT_BUNDLE.resolve() and set(arguments.formats) == set(FORMATS)
    if arguments.save is not None and arguments.save.resolve() == COMMITTED and not whole:
        raise ValueError(f"{COMMITTED} keeps every format of the default model: give others a folder, by --save DIR.")


def _images(bundle: "ModelBundle", data: Path, cache: Path) -> Images:
    import numpy as np

    from app.commands.evaluate import labelled_cases
    from model.bundle import BundleError
    from model.cases import fingerprint, load_cases
    from model.file_formats import CALIBRATION_IMAGES, calibration_rows
    from model.image_cache import cached_images
    from model.splits import split

    card = bundle.card
    if card.calibrated:
        cases = load_cases(data)
        if card.data.get("fingerprint") != fingerprint(cases):
            raise BundleError(f"{data} is not the data set that {card.name} was trained on.")
        parts = split(cases, card.split["protocol"], card.split["fold"], card.split["seed"])
        calibration, test = calibration_rows(parts), np.unique(parts.test)
    else:  # what a third party's model has learnt is not known: any images will do, each for one purpose
        cases, _ = labelled_cases(data, card.classes)
        shuffled = np.random.default_rng(0).permutation(len(cases))
        calibration, test = np.split(shuffled, [min(CALIBRATION_IMAGES, len(cases) // 2)])
    images = cached_images(list(cases["path"]), card.size, cache)
    return Images(images[calibration], images[test], cases.iloc[test])


def _write(bundle: "ModelBundle", formats: Sequence[str], folder: Path, images: Images | None) -> dict[str, Path]:
    from app.progress import progress_bar
    from model.atomic import write_atomically
    from model.file_formats import FORMATS
    from model.tensorflow_start import start_tensorflow

    if any(name.startswith("tflite") for name in formats):
        start_tensorflow()
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / FORMATS[name].file for name in formats}
    with progress_bar("Writing", len(files)) as advance:
        for done, (name, file) in enumerate(files.items(), start=1):
            calibration = (images.calibration,) if images is not None and FORMATS[name].calibrated else ()
            write_atomically(file, FORMATS[name].content(bundle, *calibration))
            advance(done)
    return files


def _measured(bundle: "ModelBundle", images: Images, files: Mapping[str, Path]) -> "DataFrame":
    """Every format's predictions of the test part, the original's first; its `attrs` say what `compare_exports` needs,
    the model's name and the machine.
    """
    import numpy as np
    import pandas as pd

    from analysis.exports import ORIGINAL, format_rows
    from app.progress import progress_bar
    from model.file_formats import open_logits
    from model.prediction import Predictor, batches

    sizes = {ORIGINAL: bundle.onnx_path.stat().st_size + bundle.weights_path.stat().st_size}
    sizes |= {name: file.stat().st_size for name, file in files.items()}
    tables, latency = [], {}
    with progress_bar("Measuring", len(sizes)) as advance:
        for name in sizes:
            network = Predictor(bundle).logits if name == ORIGINAL else open_logits(files[name])
            latency[name] = _latency(network, images.test[:1])
            logits = np.concatenate([network(images.test[part]) for part in batches(len(images.test), BATCH)])
            tables.append(format_rows(images.cases, name, logits, bundle.card))
            advance(len(tables))
    table = pd.concat(tables, ignore_index=True)
    table.attrs = {"model": bundle.card.name, "machine": machine(), "bytes": sizes, "milliseconds": latency}
    return table


def _latency(network: "Logits", image: "NDArray[np.uint8]") -> float:
    taken = []
    for _ in range(TIMED_RUNS + 1):
        started = time.perf_counter()
        network(image)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken[1:])  # the first one warms up


def _save(folder: Path, table: "DataFrame") -> None:
    from analysis.audit import write_table
    from analysis.exports import EXPORTS_FILE

    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / EXPORTS_FILE, table)
    print(f"Written: {folder / EXPORTS_FILE}", file=sys.stderr)


def _sizes(sizes: Mapping[str, int]) -> str:
    return "\n".join(f"{name}: {size / 1e6:.1f} MB" for name, size in sizes.items())


def markdown(table: "DataFrame") -> str:
    """The table of formats in Markdown, from a table of predictions with its `attrs`."""
    from analysis.exports import compare_exports
    from app.markdown import markdown_table

    exports = compare_exports(table)
    return f"{markdown_table(COLUMNS, rows(exports))}\n\n{_caption(table, exports)}"


def _caption(table: "DataFrame", exports: Sequence["Export"]) -> str:
    known = table.attrs
    return (
        f"{known['model']}, {exports[0].cases:,} test images. Latency: median of {TIMED_RUNS} single images on "
        f"{known['machine']}. 95 % intervals, bootstrapped over lesions, differences on the same resamples."
        f"{verdict(exports)}"
    )


def _print(arguments: argparse.Namespace, table: "DataFrame") -> None:
    from analysis.exports import compare_exports
    from app.jsonable import jsonable

    if arguments.markdown:
        print(markdown(table))
        return
    exports, known = compare_exports(table), table.attrs
    if arguments.json:
        formats = [{**jsonable(one), "serves": one.serves} for one in exports]
        print(json.dumps({"model": known["model"], "machine": known["machine"], "formats": formats}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=known["model"], title_justify="left", title_style="bold")
    for index, column in enumerate(COLUMNS):
        shown.add_column(column, justify="right" if index else "left")
    for row in rows(exports):
        shown.add_row(*row)
    Console().print(shown, _caption(table, exports), sep="\n")

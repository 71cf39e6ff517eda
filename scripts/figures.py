"""Work out anew every figure that is printed or shown, from committed predictions; nothing is trained.

    python -m scripts.figures            writes them
    python -m scripts.figures --check    writes nothing; shows what would change, and then ends with status 1

They are: the blocks of README.md between `<!-- name -->` and `<!-- /name -->`, the metrics in the card of every shipped
bundle, and `model/predictions/cross_validation.json`, which the dashboard and `lesionlens card` read. Speeds are
measured by `python -m tests.benchmarks --save` and `lesionlens export --save`, and here only printed.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from difflib import unified_diff
from math import isclose
from pathlib import Path

from analysis.cross_validation import FIGURES_FILE, CrossValidation, cross_validation
from analysis.descriptors.checked import CHECKED
from analysis.explanations import COMMAND as EXPLANATIONS_COMMAND
from analysis.explanations import read_explanations
from analysis.exports import read_exports
from analysis.gains import paired_gain
from analysis.leakage import read_faces
from analysis.metrics import evaluate
from analysis.out_of_fold import OutOfFoldError
from analysis.predictions import COMMITTED, read_predictions
from app import explanation_tables, out_of_fold_tables
from app.commands import export as export_command
from app.commands import localisation as localisation_command
from app.evaluation_tables import markdown
from app.jsonable import jsonable
from app.leakage_tables import comparison_note, comparison_rows
from app.markdown import markdown_table
from app.numbers import percent
from model.atomic import write_atomically
from model.bundle import CARD_FILE, DEFAULT_BUNDLE, SHIPPED, ModelBundle, card_text, load_bundle, shipped_ensemble
from tests.benchmarks import record

NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
FROM_SCRATCH = SHIPPED / "lesion_cnn_lesion_fold0_112px"
README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"<!-- (?P<name>[a-z][\w-]*) -->\n(?P<content>.*?)<!-- /(?P=name) -->", re.DOTALL)


def main() -> int:
    """Write or check every figure."""
    parser = argparse.ArgumentParser(description="Work out every printed figure from committed predictions.")
    parser.add_argument("--check", action="store_true", help="only say what differs; status 1 when anything does")
    arguments = parser.parse_args()
    changed = 0
    for path, text in figures():
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        if agree(before, text):
            continue
        changed += 1
        if arguments.check:
            sys.stdout.writelines(difference(path, before, text))
        else:
            write_atomically(path, text.encode())
            print(f"{path} is written.")
    return 1 if arguments.check and changed else 0


def figures() -> Iterator[tuple[Path, str]]:
    """Every file that holds figures, with the text that it should have."""
    for path in sorted(SHIPPED.iterdir()):
        if (path / CARD_FILE).is_file():
            yield path / CARD_FILE, measured_card(load_bundle(path))
    found = shipped_figures()
    if found is not None:
        yield COMMITTED / FIGURES_FILE, json.dumps(jsonable(found), indent=1) + "\n"
    yield README, with_blocks(README.read_text(encoding="utf-8"), blocks(found))


def measured_card(bundle: ModelBundle) -> str:
    """The card of a bundle with the metrics of its test predictions."""
    metrics = evaluate(read_predictions(bundle.predictions_path, bundle.card.classes), bundle.card.classes)
    return card_text(replace(bundle.card, metrics=jsonable(metrics)))


def shipped_figures() -> CrossValidation | None:
    """The cross-validation of the shipped folds, or None as long as they are not all there."""
    try:
        return cross_validation([load_bundle(path) for path in shipped_ensemble()])
    except OutOfFoldError as error:
        print(f"No out-of-fold figures: {error}", file=sys.stderr)
        return None


def blocks(found: CrossValidation | None) -> dict[str, Callable[[], str]]:
    """What fills each block of the README, by its name."""
    known = {
        "evaluation": evaluation,
        "from-scratch": from_scratch,
        "leakage": leakage,
        "exports": exports,
        "explanations": explanations,
        "localisation": localisation,
        "detectors": detectors,
        "benchmarks": benchmarks,
    }
    return known if found is None else {**known, "out-of-fold": lambda: out_of_fold_tables.markdown(found)}


def evaluation() -> str:
    """The default model on its own test part."""
    bundle = load_bundle(DEFAULT_BUNDLE)
    classes = bundle.card.classes
    return markdown(evaluate(read_predictions(bundle.predictions_path, classes), classes))


def from_scratch() -> str:
    """The network from scratch beside the pretrained one, on the same test part."""
    bundles = [load_bundle(path) for path in (FROM_SCRATCH, DEFAULT_BUNDLE)]
    classes = bundles[0].card.classes
    scratch, pretrained = (read_predictions(bundle.predictions_path, classes) for bundle in bundles)
    rows = out_of_fold_tables.gain_rows(paired_gain([(scratch, pretrained)], classes), *(b.card.name for b in bundles))
    table = markdown_table(("Model", *out_of_fold_tables.HEADLINE), rows)
    return f"{table}\n\n{len(scratch):,} test images, the same for both. {out_of_fold_tables.CAPTION}"


def leakage() -> str:
    """The leaky face and the honest one of the same network."""
    faces = read_faces(COMMITTED)
    protocols = [face.training.protocol for face in faces]
    return f"{markdown_table(['Figure', *protocols], comparison_rows(faces))}\n\n{comparison_note(faces)}"


def exports() -> str:
    """The default model in every file format, as last measured."""
    return export_command.markdown(read_exports(COMMITTED))


def localisation() -> str:
    """Whether the default model and the folds together look at the lesion, as last measured."""
    kept = (localisation_command.MODEL_FILE, localisation_command.AUDIT_FILE)
    return localisation_command.markdown(*(localisation_command.kept_figures(COMMITTED / name) for name in kept))


def explanations() -> str:
    """Every explanation method beside the controls."""
    found = read_explanations()
    if found is None:
        raise SystemExit(f"No explanations have been measured: {EXPLANATIONS_COMMAND} does it.")
    return explanation_tables.markdown(found)


def detectors() -> str:
    """What the detectors of image quality are worth on the images that were checked by eye."""
    rows = [
        [one.name.replace("_", " "), str(one.found), str(one.right), percent(one.precision, 0), str(one.present)]
        for one in CHECKED.values()
    ]
    return markdown_table(["Detector", "Finds", "Right", "Precision", "Present in the 100 images"], rows)


def benchmarks() -> str:
    """The speeds that were asked for, as last measured."""
    return record.markdown()


def with_blocks(text: str, known: dict[str, Callable[[], str]]) -> str:
    """`text` with each block filled anew; raises SystemExit for a block that nothing fills."""

    def filled(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in known:
            raise SystemExit(f"Nothing fills the block {name!r} of {README.name}; known are {', '.join(known)}.")
        return f"<!-- {name} -->\n{known[name]()}\n<!-- /{name} -->"

    return BLOCK.sub(filled, text)


def agree(before: str, after: str) -> bool:
    """Whether two texts are the same but for the last digits, which depend on the machine's arithmetic."""
    if NUMBER.sub("", before) != NUMBER.sub("", after):
        return False
    pairs = zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    return all(isclose(float(one), float(other), rel_tol=1e-5, abs_tol=1e-6) for one, other in pairs)


def difference(path: Path, before: str, after: str) -> Iterator[str]:
    """The lines in which a file differs from what it should be."""
    name = str(path)
    return unified_diff(
        before.splitlines(True), after.splitlines(True), f"{name} (printed)", f"{name} (worked out)", n=1
    )


if __name__ == "__main__":
    sys.exit(main())

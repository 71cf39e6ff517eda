"""How far the detectors of image quality can be believed, on the 100 images that were checked by eye.

    python -m scripts.image_quality PATH

prints precision and recall of each as a Markdown table; PATH is HAM10000.
"""

import argparse
from pathlib import Path

from analysis.descriptors.checked import Detection, checked_images, detections
from app.markdown import markdown_table
from app.numbers import percent
from model.cases import load_cases
from model.images import decode

COLUMNS = ("Detector", "Found", "Right", "Precision", "There", "Recall")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m scripts.image_quality", description=__doc__)
    parser.add_argument("data", type=Path, metavar="PATH", help="HAM10000")
    paths = load_cases(parser.parse_args().data).set_index("image_id")["path"]
    images = {name: decode(Path(paths[name])) for name in checked_images().index}
    print(markdown_table(COLUMNS, [row(one) for one in detections(images)]))


def row(one: Detection) -> list[str]:
    """One detector in the columns of COLUMNS."""
    shares = percent(one.precision, 0), percent(one.recall, 0)
    return [one.name.replace("_", " "), str(one.found), str(one.right), shares[0], str(one.present), shares[1]]


if __name__ == "__main__":
    main()

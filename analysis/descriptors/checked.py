"""How far the detectors of image quality can be believed: their precision and recall on 100 images checked by eye.

`checked_images.csv` lists the images of HAM10000 with what is to be seen on each, 1 or 0. They were looked at by the
language model (Claude) that wrote the detectors, one by one on contact sheets without the detectors' values, those in
doubt once more enlarged; no dermatologist was asked. The 12 finds of ink were not judged blind: it was known of them
that the ink detector had chosen them. `hair` is 1 with a single hair, pale or short, in sight; `ruler`
with a single mark at the edge; `dark_corners` with one black corner.

They were drawn at random from images that had no part in choosing the detectors' thresholds: up to 16 of each
detector's finds (18 of the ruler's) among 2,475 images, and others of these that no detector had to find. Ink came off
badly (3 of 12 finds were right), so its detector was mended; the 12 finds in the list now are all that it has in 6,637
further images, but for a 13th, right, which by eye shows the lesion of another. So the precision of a detector on its
own finds is a fair one, of ink but for the judging; the recall is that among these images and not in HAM10000. None of
the images shows a colour patch. The detector's only find in 9,112 images is in the list, and is a paper ruler with blue
marks: what it is worth where there are patches is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.descriptors import DESCRIPTORS, PRESENT, image_quality
from analysis.shares import share


@dataclass(frozen=True)
class Detection:
    """How a detector does on the checked images: it finds `found`, `right` of them truly, of `present` in all."""

    name: str
    found: int
    right: int
    present: int

    @property
    def precision(self) -> float:
        """The share of finds that are right; NaN without finds."""
        return float(share(np.array(self.right), np.array(self.found)))

    @property
    def recall(self) -> float:
        """The share of what is there that is found; NaN where nothing is."""
        return float(share(np.array(self.right), np.array(self.present)))


# What `detections` gives on the images of HAM10000.
CHECKED = {
    one.name: one
    for one in (
        Detection("dark_corners", found=31, right=31, present=33),
        Detection("hair", found=33, right=28, present=47),
        Detection("ruler", found=19, right=18, present=36),
        Detection("colour_patches", found=1, right=0, present=0),
        Detection("ink", found=12, right=8, present=10),
    )
}


def checked_images() -> pd.DataFrame:
    """What is to be seen on each checked image: bool columns named as in DESCRIPTORS, by image_id."""
    with files("analysis.descriptors").joinpath("checked_images.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, index_col="image_id").astype(bool)


def detections(images: Mapping[str, NDArray[np.uint8]]) -> list[Detection]:
    """Every detector on the checked images, given as RGB, uint8 (height, width, 3), by image_id."""
    seen = checked_images()
    values = pd.DataFrame({name: image_quality(images[name]) for name in seen.index}).T
    found = []
    for name in DESCRIPTORS:
        present, detected = seen[name], values[name] >= PRESENT[name]
        found.append(Detection(name, int(detected.sum()), int((detected & present).sum()), int(present.sum())))
    return found

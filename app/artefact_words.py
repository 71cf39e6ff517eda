"""What an image shows beside skin and lesion, in words, and how far its detectors can be believed."""

from collections.abc import Sequence

from analysis.descriptors import PRESENT
from analysis.descriptors.checked import CHECKED, Detection
from app.numbers import percent

NAMES = {
    "dark_corners": "dark corners",
    "hair": "hair",
    "ruler": "ruler marks",
    "colour_patches": "colour patches",
    "ink": "ink",
}
DOUBTFUL = 0.8  # precision below which a detector's finds are called in doubt wherever they are shown


def artefact_in_words(name: str, value: float) -> str:
    """Whether an artefact counts as present, and its descriptor beside the value from which it does.

    Ruler marks are counted, the others are shares of the image.
    """
    found = "yes" if value >= PRESENT[name] else "no"
    if name == "ruler":
        least = f"{PRESENT[name]:g}"
        return f"{found}: {value:.0f} marks, threshold {least}" if found == "yes" else f"{found}: under {least} marks"
    return f"{found}: {percent(value, 2)}, threshold {percent(PRESENT[name], 2)}"


def doubtful(detection: Detection) -> bool:
    """Whether a detector's finds are to be taken with caution: right less often than DOUBTFUL, or never checked."""
    return not detection.precision >= DOUBTFUL


def detector_in_words(detection: Detection) -> str:
    """How often a detector was right on the images checked by eye."""
    if not detection.present:
        return f"{NAMES[detection.name]} ({detection.right} of {detection.found} finds right, and none to be found)"
    return (
        f"{NAMES[detection.name]} ({detection.right} of {detection.found} finds right, {detection.right} of "
        f"{detection.present} to be found)"
    )


def doubts(names: Sequence[str]) -> str:
    """A sentence on the detectors among `names` that are often wrong; empty where there is none."""
    told = [detector_in_words(CHECKED[name]) for name in names if doubtful(CHECKED[name])]
    return f"Detectors to doubt, by 100 images checked by eye: {', '.join(told)}." if told else ""

"""The seven diagnoses of HAM10000: the one place for their codes, names, order and colours."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """One diagnosis: its code in the data, its full name, whether it is malignant (None where that is not
    known), its colour (#RRGGBB).

    `malignant` follows Tschandl et al. 2018 (doi:10.1038/sdata.2018.161): melanoma and basal cell carcinoma, and
    akiec, which is carcinoma in situ or its precursor and is treated as such.
    """

    code: str
    name: str
    malignant: bool | None
    colour: str


DIAGNOSES = (
    Diagnosis("akiec", "Actinic keratosis / intraepithelial carcinoma", True, "#E69F00"),
    Diagnosis("bcc", "Basal cell carcinoma", True, "#CC79A7"),
    Diagnosis("bkl", "Benign keratosis-like lesion", False, "#009E73"),
    Diagnosis("df", "Dermatofibroma", False, "#7F7F7F"),
    Diagnosis("mel", "Melanoma", True, "#D55E00"),
    Diagnosis("nv", "Melanocytic naevus", False, "#0072B2"),
    Diagnosis("vasc", "Vascular lesion", False, "#56B4E9"),
)
CODES = tuple(diagnosis.code for diagnosis in DIAGNOSES)
BY_CODE = {diagnosis.code: diagnosis for diagnosis in DIAGNOSES}

# Paul Tol's muted scheme, to be told apart under colour blindness (sronpersonalpages.nl/~pault).
OTHER_COLOURS = ("#332288", "#999933", "#AA4499", "#117733", "#882255", "#DDCC77", "#CC6677", "#44AA99", "#88CCEE")


def known_codes(classes: Iterable[str]) -> tuple[str, ...]:
    """The seven codes and those of `classes` that are others: what a data set for a model of `classes` may hold."""
    return (*CODES, *(code for code in classes if code not in CODES))


def diagnosis(code: str) -> Diagnosis:
    """The diagnosis of this code; a class that is none of the seven has its code for a name.

    The colour of such a class follows from its code alone, so that it is the same in every model and on every page;
    two of them may share one.
    """
    colour = OTHER_COLOURS[zlib.crc32(code.encode()) % len(OTHER_COLOURS)]
    return BY_CODE.get(code) or Diagnosis(code, code, None, colour)

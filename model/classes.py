"""The seven diagnoses of HAM10000: the one place for their codes, names, order and colours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """One diagnosis: its code in the data, its full name, whether it is malignant, its colour (#RRGGBB).

    `malignant` follows Tschandl et al. 2018 (doi:10.1038/sdata.2018.161): melanoma and basal cell carcinoma, and
    akiec, which is carcinoma in situ or its precursor and is treated as such.
    """

    code: str
    name: str
    malignant: bool
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

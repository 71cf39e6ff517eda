"""Late fusion of what is known of the patient (age, sex, site) with the image's logits, missing values allowed.

The image speaks through its calibrated logits, the patient through a multinomial logistic regression; a class's
probability is proportional to

    p(class | image) * (p(class | patient) / p(class | nothing known)) ** weight.

Both would have the same say (weight 1) if image and patient told different things of a diagnosis; they overlap, so the
weight is fitted. What is not known has no effect: with nothing known the image's probabilities stay as they are.

What is fitted, and on what: the regression on the training part's patients, which needs no image; the weight on the
validation part, whose logits come from a model that has not learnt those cases. Fitting on the other folds'
out-of-fold predictions, ten times as many, would leak: the models that made them have learnt this fold's test cases.
How a diagnosis was confirmed is no input: it is decided after the diagnosis is suspected.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from model.atomic import write_atomically

METADATA_FILE = "metadata.npz"
UNKNOWN = "unknown"
SEXES = ("female", "male")
OLDEST = 120
# No extrapolation beyond the ages that the data set has.
OLDEST_TRAINED = 85
LARGEST_WEIGHT = 2.0


class MetadataError(ValueError):
    """What is said of a patient cannot be used; the message says why and what would work."""


@dataclass(frozen=True, eq=False)
class MetadataFusion:
    """The fitted fusion: `effects` float64 (features, classes), added to the calibrated logits times `weight`.

    The features are the age, standardised by `age_mean` and `age_deviation` (years), its square, the sex and each of
    `sites`; each is zero on average over the training patients of whom it is known (`female` and `site_shares` are
    those averages), and zero where it is not known.
    """

    effects: NDArray[np.float64]
    weight: float
    age_mean: float
    age_deviation: float
    female: float
    sites: tuple[str, ...]
    site_shares: NDArray[np.float64]

    def logits(self, calibrated: NDArray[np.float64], patients: pd.DataFrame) -> NDArray[np.float64]:
        """Calibrated image logits (n, classes), with the effects of n `patients` (columns age, sex, site) added."""
        return calibrated + self.weight * features(patients, self) @ self.effects

    def probabilities(
        self, logits: NDArray[np.float64], temperature: float, patients: pd.DataFrame
    ) -> NDArray[np.float64]:
        """Probabilities (n, classes) from raw image logits (n, classes), the bundle's temperature and the patients."""
        shares: NDArray[np.float64] = softmax(self.logits(logits / temperature, patients), axis=1)
        return shares


def fuse(
    fusions: Sequence[MetadataFusion], probabilities: NDArray[np.float64], patients: pd.DataFrame
) -> NDArray[np.float64]:
    """Calibrated image probabilities (n, classes) with n patients fused in; of several fusions the mean counts."""
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    shares: NDArray[np.float64] = softmax(
        np.mean([fusion.logits(logits, patients) for fusion in fusions], axis=0), axis=1
    )
    return shares


def patient(fusions: Sequence[MetadataFusion], age: float | None, sex: str | None, site: str | None) -> pd.DataFrame:
    """One patient as a table of one row; None is unknown. Raises MetadataError for what cannot be.

    The site is one of any of the `fusions`; to those that do not know it, it says nothing.
    """
    sites = sorted({known for fusion in fusions for known in fusion.sites})
    if age is not None and not 0 <= age <= OLDEST:
        raise MetadataError(f"The age is a number of years from 0 to {OLDEST}, not {age:g}.")
    if sex not in (None, UNKNOWN, *SEXES):
        raise MetadataError(f"The sex is {', '.join(SEXES)} or {UNKNOWN}, not {sex!r}.")
    if site not in (None, UNKNOWN, *sites):
        raise MetadataError(f"The site is one of {', '.join(sites)} or {UNKNOWN}, not {site!r}.")
    return pd.DataFrame({"age": [np.nan if age is None else float(age)], "sex": [sex], "site": [site]})


def fit_fusion(
    training: pd.DataFrame, validation: pd.DataFrame, logits: NDArray[np.float64], classes: Sequence[str]
) -> MetadataFusion | None:
    """Fit the fusion, or give None where nothing is known of any patient.

    `training` and `validation` have columns diagnosis, age, sex and site; `logits` are the calibrated image logits of
    the validation part, float64 (n, classes).
    """
    averages = _averages(training)
    if not features(training, averages).any():
        return None
    patients = replace(averages, effects=_patient_effects(training, averages, classes))
    shift = patients.logits(np.zeros_like(logits), validation)
    labels = validation["diagnosis"].map(list(classes).index).to_numpy(np.intp)
    return replace(patients, weight=_likeliest_weight(logits, shift, labels))


def features(patients: pd.DataFrame, fusion: MetadataFusion) -> NDArray[np.float64]:
    """What is known of patients, float64 (n, 3 + sites): age, age squared, sex, sites; zero where unknown."""
    age = patients["age"].to_numpy(np.float64).clip(0, OLDEST_TRAINED)
    standardised = (age - fusion.age_mean) / fusion.age_deviation
    sex = patients["sex"].map({"female": 1 - fusion.female, "male": -fusion.female}).to_numpy(np.float64)
    site = patients["site"].to_numpy(object)[:, np.newaxis] == np.asarray(fusion.sites, object)
    sites = np.where(site.any(axis=1, keepdims=True), site - fusion.site_shares, 0)
    return np.hstack([np.nan_to_num(np.stack([standardised, standardised**2 - 1, sex], axis=1)), sites])


def write_fusion(folder: Path, fusion: MetadataFusion) -> None:
    """Write the fusion as metadata.npz into the bundle `folder`, atomically; plain arrays, nothing to unpickle."""
    buffer = BytesIO()
    arrays: dict[str, Any] = {field.name: getattr(fusion, field.name) for field in fields(fusion)}
    np.savez(buffer, **arrays)
    write_atomically(folder / METADATA_FILE, buffer.getvalue())


def read_fusion(folder: Path) -> MetadataFusion | None:
    """The fusion of the bundle in `folder`, or None where it has none; raises MetadataError for a damaged file."""
    path = folder / METADATA_FILE
    if not path.is_file():
        return None
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            numbers = {name: float(arrays[name]) for name in ("weight", "age_mean", "age_deviation", "female")}
            sites = tuple(str(site) for site in arrays["sites"])
            effects, shares = (np.asarray(arrays[name], np.float64) for name in ("effects", "site_shares"))
        if effects.ndim != 2 or len(effects) != 3 + len(sites) or shares.shape != (len(sites),):
            raise ValueError("its arrays do not fit together.")
        if not np.isfinite([*effects.ravel(), *shares, *numbers.values()]).all():
            raise ValueError("its numbers are not all finite.")
        if numbers["age_deviation"] <= 0:
            raise ValueError("its ages do not deviate.")
        return MetadataFusion(effects, sites=sites, site_shares=shares, **numbers)
    except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise MetadataError(f"{path} is damaged: {error}") from error


def _averages(training: pd.DataFrame) -> MetadataFusion:
    """What the features of the training patients are measured from; no effects yet."""
    ages = training["age"].clip(0, OLDEST_TRAINED).dropna()
    sexes = training["sex"][training["sex"].isin(SEXES)]
    shares = training["site"][training["site"] != UNKNOWN].value_counts(normalize=True).sort_index()
    return MetadataFusion(
        effects=np.zeros((3 + len(shares), 0)),
        weight=1.0,
        age_mean=float(ages.mean()) if len(ages) else 0.0,
        age_deviation=(float(ages.std(ddof=0)) if len(ages) else 0.0) or 1.0,
        female=float((sexes == "female").mean()) if len(sexes) else 0.5,
        sites=tuple(shares.index),
        site_shares=np.asarray(shares, np.float64),
    )


def _patient_effects(training: pd.DataFrame, averages: MetadataFusion, classes: Sequence[str]) -> NDArray[np.float64]:
    """How much each feature speaks for each class (features, classes): scikit-learn's regression, its penalty C = 1."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(max_iter=1000).fit(features(training, averages), training["diagnosis"])
    # The regression leaves out classes without cases, and of two classes it keeps one row.
    rows = np.vstack([np.zeros(len(averages.effects)), np.eye(len(averages.effects))])
    logarithms = regression.predict_log_proba(rows)
    effects: NDArray[np.float64] = np.zeros((len(averages.effects), len(classes)))
    effects[:, [list(classes).index(code) for code in regression.classes_]] = logarithms[1:] - logarithms[0]
    effects -= effects.mean(axis=1, keepdims=True)
    return effects


def _likeliest_weight(logits: NDArray[np.float64], shift: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """The weight of the patients' `shift` under which the labels are most likely, in [0, LARGEST_WEIGHT]."""
    from scipy.optimize import minimize_scalar

    def loss(weight: float) -> float:
        logarithms = log_softmax(logits + weight * shift, axis=1)
        return float(-logarithms[np.arange(len(labels)), labels].mean())

    return float(minimize_scalar(loss, bounds=(0, LARGEST_WEIGHT), method="bounded").x)

"""What is known of the patient, asked beside an image: age, sex and site, each optional; and what it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.bundle import ModelBundle
from model.ensemble import Ensemble
from model.metadata import OLDEST, UNKNOWN, MetadataError, MetadataFusion, fuse, patient, read_fusion
from model.prediction import Predictor, decide


@dataclass(frozen=True)
class Asked:
    """What somebody says of the patient; None is unknown. `age` is in years."""

    age: float | None = None
    sex: str | None = None
    site: str | None = None

    @property
    def anything(self) -> bool:
        """Whether anything is said at all."""
        return self.age is not None or any(said not in (None, UNKNOWN) for said in (self.sex, self.site))


def age_in_years(said: float | str | None) -> float | None:
    """The age that a form field holds, None where it is empty; raises MetadataError for what is no number."""
    if said in ("", None):
        return None
    try:
        return float(said)
    except (TypeError, ValueError) as error:
        raise MetadataError(f"The age is a number of years from 0 to {OLDEST}, not {said!r}.") from error


def check_patient(bundles: Sequence[ModelBundle], asked: Asked) -> None:
    """Raise MetadataError for an impossible patient, and for any where one of the models cannot take one into account.

    `bundles` are those that will answer: the model's, or those of the ensemble's members.
    """
    if asked.anything:
        patient(fusions_of(bundles), asked.age, asked.sex, asked.site)


def fusions_of(bundles: Sequence[ModelBundle]) -> tuple[MetadataFusion, ...]:
    """The fusion of each bundle; raises MetadataError where there is none, or a damaged one."""
    found = [(bundle, read_fusion(bundle.path)) for bundle in bundles]
    for bundle, fusion in found:
        if fusion is None:
            raise MetadataError(
                f"{bundle.card.name} cannot take the patient into account: its bundle has no metadata.npz, which "
                "training writes where the data set knows age, sex or site."
            )
        if fusion.effects.shape[1] != len(bundle.card.classes):
            raise MetadataError(f"The metadata.npz of {bundle.card.name} is damaged: it is of other classes.")
    return tuple(fusion for _, fusion in found if fusion is not None)


def with_patient(
    model: Predictor | Ensemble, probabilities: Mapping[str, float], asked: Asked
) -> dict[str, Any] | None:
    """The prediction of an image with the patient taken into account, or None where nothing is said of the patient.

    `probabilities` are the image's by class. Raises MetadataError for an impossible patient, and for a model that
    cannot take one into account.
    """
    if not asked.anything:
        return None
    members = model.members if isinstance(model, Ensemble) else (model,)
    fusions = fusions_of([member.bundle for member in members])
    card = members[0].bundle.card
    classes, prior = card.classes, model.class_prior if isinstance(model, Ensemble) else card.class_prior
    image = np.array([[probabilities[code] for code in classes]])
    shares = fuse(fusions, image, patient(fusions, asked.age, asked.sex, asked.site))[0]
    return {
        "age": asked.age,
        "sex": asked.sex,
        "site": asked.site,
        "predicted": classes[int(decide(shares, prior))],
        "probabilities": dict(zip(classes, map(float, shares), strict=True)),
    }

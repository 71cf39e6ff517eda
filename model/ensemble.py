"""An ensemble: several models of the same classes, each trained on other cases, that are asked together."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.bundle import BundleError, folds, load_bundle
from model.prediction import Prediction, Predictor, decide
from model.uncertainty import Disagreement, mutual_information


@dataclass(frozen=True)
class Ensemble:
    """Predictors of bundles with the same classes in the same order; raises BundleError otherwise, or for fewer than 2.

    The first member is the one whose embedding and novelty check count.
    """

    members: tuple[Predictor, ...]

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise BundleError("An ensemble needs at least two model bundles.")
        first, *others = (member.bundle.card for member in self.members)
        for card in others:
            if card.classes != first.classes:
                raise BundleError(
                    f"{card.name} and {first.name} are no ensemble: their classes are {', '.join(card.classes)} and "
                    f"{', '.join(first.classes)}."
                )

    @property
    def class_prior(self) -> tuple[float, ...]:
        """Each class's share of the training cases, the mean over the members."""
        priors = np.array([member.bundle.card.class_prior for member in self.members])
        return tuple(float(share) for share in priors.mean(axis=0))

    def predict(self, image: NDArray[np.uint8], *, tta: bool = False) -> Prediction:
        """Predict one RGB image, uint8 (height, width, 3), each member as `Predictor.predict` does.

        The probabilities are the mean of the members' calibrated ones (Lakshminarayanan et al. 2017,
        arXiv:1612.01474): each member has its own scale of logits, and where they differ the mean shows it. The logits
        are the logarithms of those probabilities.
        """
        predictions = [member.predict(image, tta=tta) for member in self.members]
        each = np.stack([prediction.probabilities for prediction in predictions])
        probabilities = each.mean(axis=0)
        calls = tuple(prediction.predicted for prediction in predictions)
        first = predictions[0]
        return replace(
            first,
            logits=np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)).astype(np.float32),
            probabilities=probabilities,
            predicted=first.classes[int(decide(probabilities, self.class_prior))],
            disagreement=Disagreement(float(mutual_information(each)), calls),
        )


def open_ensemble(path: Path, *, int8: bool = False) -> Ensemble:
    """The ensemble of the bundle at `path` and its other folds beside it; raises BundleError when there are none."""
    paths = folds(path)
    if len(paths) < 2:
        raise BundleError(
            f"{path.name} is alone: an ensemble is made of bundles in one folder whose names differ in the fold, such "
            "as …_fold0_192px and …_fold1_192px."
        )
    return Ensemble(tuple(Predictor(load_bundle(each, int8=int8)) for each in paths))

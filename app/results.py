"""What a model's test predictions amount to, each worked out once for a bundle."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.confusion import confusion_matrix
from analysis.metrics import Metrics, evaluate
from analysis.pair import PairAudit, audit_pair, model_threshold
from analysis.performance import Calibration, calibration
from analysis.predictions import PredictionsError, read_predictions
from model.bundle import ModelBundle


@dataclass(frozen=True, eq=False)
class Results:
    """The test predictions of `bundle` and what follows from them; all but `problem` raise PredictionsError without."""

    bundle: ModelBundle

    @cached_property
    def problem(self) -> str | None:
        """Why there is nothing to show, or None."""
        card = self.bundle.card
        if not card.calibrated and not self.bundle.predictions_path.is_file():
            return (
                f"{card.name} was trained elsewhere, so that its test images are not known here. "
                f"`lesionlens evaluate --model {self.bundle.path} --data PATH --keep` measures it on labelled images, "
                "which these pages then show."
            )
        try:
            _ = self.table
        except PredictionsError as error:
            return str(error)
        return None

    @cached_property
    def table(self) -> pd.DataFrame:
        """The predictions as `analysis.predictions.read_predictions` gives them, by image_id."""
        return read_predictions(self.bundle.predictions_path, self.classes).set_index("image_id", drop=False)

    def case(self, image_id: str) -> "pd.Series[Any]":
        """One case of the table by its columns; raises KeyError when there is none."""
        return cast("pd.Series[Any]", self.table.loc[image_id])

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in the model's order."""
        return self.bundle.card.classes

    @property
    def first_pair(self) -> tuple[str, str]:
        """The two classes that the Pair page opens with: melanoma and naevus where the model knows them."""
        classes = ("mel", "nv") if {"mel", "nv"} <= set(self.classes) else self.classes
        return classes[0], classes[1]

    @cached_property
    def metrics(self) -> Metrics:
        """All figures of merit with their intervals."""
        return evaluate(self.table, self.classes)

    @cached_property
    def calibration(self) -> Calibration:
        """The reliability diagrams before and after temperature scaling."""
        return calibration(self.table, self.classes)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts of cases, (diagnosis, called class)."""
        return confusion_matrix(self.table, self.classes)

    def pair(self, code: str, against: str, histology_only: bool) -> PairAudit:
        """The audit of a pair; raises PairError when it has no cases."""
        return audit_pair(self.table, code, against, histology_only)

    def pair_threshold(self, code: str, against: str) -> float:
        """The margin at which the model itself turns from `against` to `code`, in logits."""
        card = self.bundle.card
        return model_threshold(card.classes, card.class_prior, card.temperature, code, against)

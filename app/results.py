"""What a model's test predictions, or those of an audit, amount to, each worked out once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.artefacts import Artefact, artefact_figures
from analysis.audit_manifest import AuditError
from analysis.audit_predictions import audit_predictions, audited_artefacts, in_calibrated_logits
from analysis.audit_reader import Audit
from analysis.confusion import confusion_matrix
from analysis.metrics import Metrics, evaluate
from analysis.pair import PairAudit, audit_pair, model_threshold
from analysis.performance import Calibration, calibration
from analysis.predictions import MAP_COLUMN, PredictionsError, class_maps, read_predictions
from model.bundle import ModelBundle


@dataclass(frozen=True, eq=False)
class Results:
    """The test predictions of `bundle`, or those of an audit, and what follows from them.

    All but `problem` raise PredictionsError where there are none.
    """

    bundle: ModelBundle
    audit: Audit | None = None

    @cached_property
    def problem(self) -> str | None:
        """Why there is nothing to show, or None."""
        card = self.bundle.card
        if self.audit is None and not card.calibrated and not self.bundle.predictions_path.is_file():
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
        """The predictions as `analysis.predictions.read_predictions` gives them, without maps, by image_id.

        Those of an audit are pooled from models of several temperatures: their logits are calibrated.
        """
        if self.audit is not None:
            return in_calibrated_logits(self._stored, self.classes)
        return self._stored.drop(columns=MAP_COLUMN)

    @cached_property
    def _stored(self) -> pd.DataFrame:
        """The predictions as they are stored, but that an audit's maps stay on the disk."""
        if self.audit is not None:
            table = audit_predictions(self.audit)
        else:
            table = read_predictions(self.bundle.predictions_path, self.classes)
        return table.set_index("image_id", drop=False)

    def case(self, image_id: str) -> "pd.Series[Any]":
        """One case of the table by its columns; raises KeyError when there is none."""
        return cast("pd.Series[Any]", self.table.loc[image_id])

    def maps(self, image_id: str) -> dict[str, NDArray[np.float32]]:
        """The signed Grad-CAM maps of one case by class, each (side, side); raises KeyError for an unknown case."""
        self.case(image_id)
        if self.audit is None:
            return class_maps(np.asarray(self._stored.at[image_id, MAP_COLUMN]), self.classes)
        try:
            return self.audit.maps(image_id)
        except (AuditError, OSError) as error:
            raise PredictionsError(f"The maps of {image_id} cannot be read: {error}") from error

    @cached_property
    def artefacts(self) -> tuple[str, ...]:
        """The descriptors of image quality that are known of the cases: some of an audit's, none of a bundle's."""
        return () if self.audit is None else audited_artefacts(self.audit)

    @cached_property
    def artefact_figures(self) -> tuple[Artefact, ...]:
        """The figures with and without each of `artefacts`."""
        return artefact_figures(self.table, self.classes, self.artefacts)

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
        return calibration(self._stored, self.classes)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts of cases, (diagnosis, called class)."""
        return confusion_matrix(self.table, self.classes)

    def pair(self, code: str, against: str, histology_only: bool) -> PairAudit:
        """The audit of a pair; raises PairError when it has no cases."""
        return audit_pair(self.table, code, against, histology_only)

    def pair_threshold(self, code: str, against: str) -> float:
        """The margin at which the model itself turns from `against` to `code`, in the logits of `table`.

        Of an audit it is that of `bundle`: the folds' priors are those of as many cases, and all but the same.
        """
        card = self.bundle.card
        temperature = card.temperature if self.audit is None else 1.0
        return model_threshold(card.classes, card.class_prior, temperature, code, against)

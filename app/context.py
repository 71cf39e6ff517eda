"""What every page and every API route draws on: the model, its test predictions, and the images if they are here."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from analysis.audit_reader import Audit
from analysis.cross_validation import CrossValidation
from analysis.explanations import Explanations, read_explanations
from analysis.predictions import COMMITTED
from app.jobs import Jobs
from app.leakage_results import LeakageResults
from app.model_card import ModelCard, model_card, shipped_cross_validation
from app.results import Results
from app.tensorflow_start import TensorFlowStart
from model.bundle import INT8_FILE, ModelBundle, folds
from model.cases import COLUMNS, read_cases
from model.ensemble import Ensemble, open_ensemble
from model.prediction import Predictor

CONCURRENT_EXPLANATIONS = 2


def explanation_threads() -> ThreadPoolExecutor:
    """Where slow explanations run: so few at a time that each is worth its wait, the others queue."""
    return ThreadPoolExecutor(CONCURRENT_EXPLANATIONS, thread_name_prefix="explanation")


@dataclass(frozen=True)
class Choice:
    """What the dashboard can be about: a model and its own test part, or an audit, with the model that explains."""

    bundle: ModelBundle
    audit: Audit | None = None


@dataclass(frozen=True)
class Context:
    """Read-only, so that any number of server processes can hold the same one.

    `data_path` is the folder of the data set whose images are shown beside the predictions, or None. `models` are those
    to choose from by name, this one among them, first the one at `/`; their contexts share `explanation_threads`,
    `maps`, which are those that browsers wait for, and `tensorflow`.
    Where there is an `audit`, its cases are shown instead of the test part of `bundle`.
    """

    bundle: ModelBundle
    data_path: Path | None = None
    audit: Audit | None = None
    models: Mapping[str, Choice] = field(default_factory=dict)
    explanation_threads: ThreadPoolExecutor = field(default_factory=explanation_threads)
    maps: Jobs = field(default_factory=Jobs)
    tensorflow: TensorFlowStart = field(default_factory=TensorFlowStart)

    @cached_property
    def predictor(self) -> Predictor:
        """The model, ready to run; safe to share between threads."""
        return Predictor(self.bundle)

    @cached_property
    def ensemble_size(self) -> int:
        """How many folds the ensemble has; 1 without one: no others are here, or not all as quantised as the model."""
        members = folds(self.bundle.path)
        usable = not self.bundle.int8 or all((member / INT8_FILE).is_file() for member in members)
        return len(members) if usable else 1

    @cached_property
    def ensemble(self) -> Ensemble:
        """All folds together, quantised if the model is; raises BundleError for one that is alone or a bad member."""
        return open_ensemble(self.bundle.path, int8=self.bundle.int8)

    @cached_property
    def trust_thread(self) -> ThreadPoolExecutor:
        """Where maps are judged once they are made: one at a time."""
        return ThreadPoolExecutor(1, thread_name_prefix="trust")

    @cached_property
    def results(self) -> Results:
        """The predictions that are shown, of the model's test part or the audit, and what they amount to."""
        return Results(self.bundle, self.audit)

    @cached_property
    def model_card(self) -> ModelCard:
        """All that is known of the model; raises PredictionsError where a file is damaged."""
        return model_card(self.bundle)

    @cached_property
    def cross_validation(self) -> CrossValidation | None:
        """The cross-validation that the model is a fold of, or None; raises PredictionsError for a damaged file."""
        return shipped_cross_validation(self.bundle)

    @cached_property
    def leakage(self) -> LeakageResults:
        """What leakage does, whatever the model."""
        return LeakageResults(COMMITTED)

    @cached_property
    def explanations(self) -> Explanations | None:
        """What every method is worth on the default model, or None; AuditError for an audit that is not whole."""
        return read_explanations()

    @cached_property
    def cases(self) -> pd.DataFrame:
        """The cases of the data set, as `model.cases.read_cases` has them; none without a data set."""
        return pd.DataFrame(columns=list(COLUMNS)) if self.data_path is None else read_cases(self.data_path)

    @cached_property
    def image_paths(self) -> dict[str, Path]:
        """Image files by image_id; empty without a data set."""
        return self._files("path")

    @cached_property
    def mask_paths(self) -> dict[str, Path]:
        """Lesion masks by image_id; empty without a data set or where it has none."""
        return self._files("mask_path")

    def _files(self, column: str) -> dict[str, Path]:
        table = self.cases.dropna(subset=column)
        return {image_id: Path(path) for image_id, path in zip(table["image_id"], table[column], strict=True)}

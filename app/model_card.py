"""A model card: all that is known of a model bundle, worked out or read from what was worked out.

Its sections (`app.card_sections`) are those of Mitchell et al. 2019 (doi:10.1145/3287560.3287596).
"""

import json
from dataclasses import dataclass
from pathlib import Path

from analysis.cross_validation import FIGURES_FILE, CrossValidation
from analysis.headline import MELANOMA
from analysis.metrics import Metrics
from analysis.performance import NAEVUS, Performance, performance
from analysis.predictions import COMMITTED, PredictionsError, read_predictions
from app.jsonable import restored
from app.training_command import training_command
from model.bundle import Card, ModelBundle, shipped_ensemble


@dataclass(frozen=True)
class ModelCard:
    """What a card says, from the bundle's `card`.

    `metrics` are of the bundle's own test part. `performance` is out-of-fold, of all models of its recipe, where
    `cross_validation` is there; else of its own test part. None is not known. `cpu_hours` is what training cost.
    """

    card: Card
    training_command: str | None
    cpu_hours: float | None
    metrics: Metrics | None
    performance: Performance | None
    cross_validation: CrossValidation | None


def model_card(bundle: ModelBundle, folder: Path = COMMITTED) -> ModelCard:
    """The card of a bundle; `folder` holds the cross-validation of the shipped models (`make figures` writes it).

    Raises PredictionsError where that file is damaged.
    """
    card = bundle.card
    validated = shipped_cross_validation(bundle, folder)
    return ModelCard(
        card=card,
        training_command=training_command(card.training),
        cpu_hours=card.training.get("cpu_hours"),
        metrics=restored(Metrics, card.metrics) if card.metrics else None,
        performance=_own_performance(bundle) if validated is None else validated.performance,
        cross_validation=validated,
    )


def shipped_cross_validation(bundle: ModelBundle, folder: Path = COMMITTED) -> CrossValidation | None:
    """The cross-validation that a shipped bundle is a fold of; None for any other bundle, or before it is worked out.

    Raises PredictionsError where the file in `folder` is damaged.
    """
    path = folder / FIGURES_FILE
    if bundle.path.resolve() not in shipped_ensemble() or not path.is_file():
        return None
    try:
        found: CrossValidation = restored(CrossValidation, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise PredictionsError(f"{path} is damaged; `make figures` writes it anew: {error}") from error
    return found if bundle.card.name in {fold.name for fold in found.figures.folds} else None


def _own_performance(bundle: ModelBundle) -> Performance | None:
    if not {MELANOMA, NAEVUS} <= set(bundle.card.classes):
        return None
    try:
        return performance(read_predictions(bundle.predictions_path, bundle.card.classes), bundle.card.classes)
    except PredictionsError:
        return None

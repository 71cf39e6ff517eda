"""All that the out-of-fold predictions of a recipe amount to, worked out once and kept as a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.metadata_gain import MetadataGain, metadata_gain
from analysis.options import OptionGain, option_gains
from analysis.out_of_fold import OutOfFoldFigures, out_of_fold_figures, read_out_of_fold
from analysis.performance import Performance, performance
from model.bundle import ModelBundle

FIGURES_FILE = "cross_validation.json"


@dataclass(frozen=True)
class CrossValidation:
    """The figures of a recipe's models by fold, pooled, by group; the gain of patient metadata and of options."""

    figures: OutOfFoldFigures
    performance: Performance
    metadata: MetadataGain | None
    options: tuple[OptionGain, ...]


def cross_validation(bundles: Sequence[ModelBundle], seed: int = 0) -> CrossValidation:
    """Work everything out from the bundles of all folds: about a minute; raises what `read_out_of_fold` raises."""
    predictions = read_out_of_fold(bundles)
    return CrossValidation(
        out_of_fold_figures(predictions, seed),
        performance(predictions.table, predictions.classes, seed),
        metadata_gain(predictions, seed),
        option_gains(predictions, seed=seed),
    )

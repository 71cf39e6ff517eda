"""The out-of-fold figures, and what options and patient metadata gain, as tables of text."""

import math
from collections.abc import Sequence

from analysis.bootstrap import Estimate
from analysis.cross_validation import CrossValidation
from analysis.gains import Gain
from analysis.headline import Headline
from analysis.metadata_gain import MetadataGain
from analysis.options import EXTERNAL, OptionGain
from analysis.out_of_fold import OutOfFoldFigures
from app.markdown import markdown_table
from app.numbers import decimal, signed_interval, with_interval

HEADLINE = ("Balanced accuracy", "Macro AUC", "Melanoma AUC")
FIGURE_COLUMNS = ("Figure", "Value")
FOLD_COLUMNS = ("Fold", "Cases", *HEADLINE, "Temperature")
GAIN_COLUMNS = ("", *HEADLINE)
OPTION_COLUMNS = ("Option", *HEADLINE, "Calibration error", "Time an image")
OPTIONS = (
    "Time is against one model that is asked once. Calibration error: expected, of the most probable class, in "
    "brackets what a perfectly calibrated model would show by chance. An ensemble's probabilities are averages of "
    "calibrated ones, to which no temperature was fitted."
)
IMAGES_ONLY = (
    " {} does not say which images show one lesion: its intervals are over images, of which the rarest diagnosis "
    "has {}; a resample without it averages over the others."
)
CAPTION = "95 % intervals, bootstrapped over lesions."
NO_THRESHOLD = (
    "The sensitivity is the point of the ROC curve, melanoma against the rest, at 90 % specificity on these "
    "very cases: it describes the curve, and no threshold is claimed for use."
)


def figure_rows(figures: OutOfFoldFigures) -> list[tuple[str, str]]:
    """Name and value with interval of every out-of-fold figure."""
    return [
        *((f"{name}, mean of the folds", value) for name, value in zip(HEADLINE, _values(figures.mean), strict=True)),
        *((f"{name}, all cases pooled", value) for name, value in zip(HEADLINE, _values(figures.pooled), strict=True)),
        ("Melanoma sensitivity at 90 % specificity", with_interval(figures.melanoma_sensitivity)),
        ("Melanoma against naevus, AUC", with_interval(figures.melanoma_naevus_auc)),
        (
            "Melanoma against naevus confirmed by histology, AUC",
            with_interval(figures.melanoma_naevus_auc_histology),
        ),
        ("Expected calibration error at temperature 1", with_interval(figures.calibration_error_before)),
        (
            "Expected calibration error after temperature scaling",
            f"{with_interval(figures.calibration_error)}; perfect {decimal(figures.perfect_calibration_error)}",
        ),
    ]


def fold_rows(figures: OutOfFoldFigures) -> list[tuple[str, ...]]:
    """One row of text per fold, in the order of FOLD_COLUMNS."""
    return [
        (
            str(fold.fold),
            f"{fold.cases:,}",
            *(decimal(value) for value in (fold.balanced_accuracy, fold.macro_auc, fold.melanoma_auc)),
            decimal(fold.temperature),
        )
        for fold in figures.folds
    ]


def size(figures: OutOfFoldFigures) -> str:
    """On how many cases and lesions the figures stand."""
    return (
        f"{figures.cases:,} images of {figures.lesions:,} lesions, each predicted by the one of {len(figures.folds)} "
        "models that has not seen its lesion."
    )


def gain_rows(figures: Gain, without: str, with_option: str) -> list[tuple[str, ...]]:
    """Three rows in the order of GAIN_COLUMNS: without, with, and the gain."""
    gains = (signed_interval(estimate) for estimate in _estimates(figures.gain))
    return [(without, *_values(figures.without)), (with_option, *_values(figures.with_option)), ("Gain", *gains)]


def metadata_rows(gain: MetadataGain) -> list[tuple[str, ...]]:
    """What age, sex and site add, in the order of GAIN_COLUMNS."""
    return gain_rows(gain.figures, "Image alone", "With age, sex and site")


def option_rows(gains: Sequence[OptionGain]) -> list[tuple[str, ...]]:
    """The figures without, and with each option its figures and its gain below, by the data they are measured on."""
    rows: list[tuple[str, ...]] = []
    for gain in gains:
        models = "one model" if gain.models == 1 else f"mean of {gain.models} single models"
        cost = "" if math.isnan(gain.cost) else f"× {gain.cost:.1f}"
        without, with_option, difference = gain_rows(
            gain.figures, f"{gain.data} ({gain.cases:,} images), {models}", gain.option
        )
        before, after = (
            f"{decimal(error.value)} ({decimal(error.by_chance)})"
            for error in (gain.calibration_without, gain.calibration_with)
        )
        rows += [(*without, before, ""), (*with_option, after, cost), (*difference, "", "")]
    return rows


def options_note(gains: Sequence[OptionGain]) -> str:
    """What the columns of the options' table mean."""
    external = next((gain for gain in gains if gain.data == EXTERNAL), None)
    return OPTIONS if external is None else OPTIONS + IMAGES_ONLY.format(EXTERNAL, external.rarest)


def option_sentence(gains: Sequence[OptionGain], option: str) -> str | None:
    """What an option gains on the most cases and what it costs; None where it was not measured."""
    measured = sorted((gain for gain in gains if gain.option == option), key=lambda gain: -gain.cases)
    if not measured:
        return None
    gain = signed_interval(measured[0].figures.gain.balanced_accuracy)
    costs = [gain.cost for gain in measured if not math.isnan(gain.cost)]
    cost = f", in {costs[0]:.1f} times the time" if costs else ""
    return f"Balanced accuracy {gain} on {measured[0].cases:,} images{cost}."


def markdown(found: CrossValidation) -> str:
    """All tables in Markdown, for the README."""
    figures = found.figures
    parts = [
        markdown_table(FIGURE_COLUMNS, figure_rows(figures)),
        markdown_table(FOLD_COLUMNS, fold_rows(figures)),
        f"{size(figures)} {CAPTION} {NO_THRESHOLD}",
    ]
    if found.metadata is not None:
        parts.append(markdown_table(("Patient metadata", *HEADLINE), metadata_rows(found.metadata)))
    if found.options:
        parts += [markdown_table(OPTION_COLUMNS, option_rows(found.options)), options_note(found.options)]
    return "\n\n".join(parts)


def _estimates(figures: Headline) -> tuple[Estimate, ...]:
    return (figures.balanced_accuracy, figures.macro_auc, figures.melanoma_auc)


def _values(figures: Headline) -> list[str]:
    return [with_interval(estimate) for estimate in _estimates(figures)]

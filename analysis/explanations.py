"""Which explanation to trust: every method and control on the same test cases, from an audit with measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit_manifest import MANIFEST_FILE, AuditedModel
from analysis.audit_measures import VERSION, agreement_column
from analysis.audit_reader import open_audit
from analysis.bootstrap import Estimate, estimate, lesion_weights
from analysis.faithfulness import EXCHANGED, area_name
from analysis.predictions import COMMITTED
from analysis.sanity import MethodSanity, SanityError, read_sanity
from analysis.shares import share
from analysis.verdicts import REPETITIONS
from explain.methods import METHODS
from model.bundle import CARD_FILE, SHIPPED, load_bundle

EXPLANATIONS = COMMITTED / "explanations"
SAMPLE = 20
# Ratios have a long tail: one map with next to nothing in the lesion would rule their mean.
MEDIANS = ("background_to_lesion",)
COMMAND = (
    f"lesionlens audit --data PATH --measures all --sample {SAMPLE} --no-image-quality "
    "--out model/predictions/explanations"
)
ANEW = f"delete model/predictions/explanations and run {COMMAND}."
OLDER = f"Methods or measures have changed since these figures were taken: {ANEW}"


@dataclass(frozen=True)
class Comparison:
    """A method against that `control` which does best on a measure: their mean difference, on the same cases."""

    control: str
    difference: Estimate

    @property
    def beaten(self) -> bool:
        """Whether the control is better: the interval is below 0, of this comparison alone."""
        return self.difference.high < 0

    @property
    def better(self) -> bool:
        """Whether the method is better: the interval is above 0, of this comparison alone."""
        return self.difference.low > 0


@dataclass(frozen=True)
class MethodFigures:
    """Means of a method's measures over the cases, medians of those in MEDIANS, with 95 % intervals over lesions.

    `faithfulness` is the insertion area less the deletion area of the called class's logit; `..._exchanged` the same
    with the curves' baselines exchanged, `..._mean_colour` with both on the mean colour, behind which no method hides
    anything, `..._contrast` that of the logit's difference to the next class's.
    `inside_mask` is the share of the map's positive part in the lesion. `stability` is
    the least of a map's rank correlations with itself under turns and flips, other brightness and another seed;
    `milliseconds` and `evaluations` are what a map takes. Of a method that is no control,
    the `..._against` are its comparisons with the best control. `sanity` is None where it was not measured on the
    audited weights, and of controls.
    """

    method: str
    control: bool
    faithfulness: Estimate
    faithfulness_exchanged: Estimate
    faithfulness_mean_colour: Estimate
    faithfulness_contrast: Estimate
    deletion_area: Estimate
    insertion_area: Estimate
    inside_mask: Estimate
    background_to_lesion: Estimate
    pointing: Estimate
    border_share: Estimate
    stability: Estimate
    milliseconds: Estimate
    evaluations: Estimate
    faithfulness_against: Comparison | None
    faithfulness_mean_colour_against: Comparison | None
    inside_mask_against: Comparison | None
    sanity: MethodSanity | None


@dataclass(frozen=True)
class Explanations:
    """The figures of every method, the most faithful first, the controls after them, on the test cases of `model`.

    `agreement` is, of every two methods, the mean rank correlation of their superpixels, empty where it was not
    measured. The milliseconds are those of `machine`. `notes` says, in sentences, which figures are not those of the
    weights that the model has now.
    """

    model: str
    cases: int
    lesions: int
    lesion_share: Estimate
    methods: tuple[MethodFigures, ...]
    agreement: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    machine: str = ""
    notes: tuple[str, ...] = ()


def read_explanations(folder: Path = EXPLANATIONS, seed: int = 0) -> Explanations | None:
    """The figures of the audit in `folder`, or None where there is none; raises AuditError where it is not whole."""
    if not (folder / MANIFEST_FILE).is_file():
        return None
    audit = open_audit(folder)
    table = audit.table([name for name in audit.columns if name not in ("gradcam", "embedding")])
    audited = audit.manifest.models[0]
    sanity, notes = _sanity_of(audited)
    found = explanation_figures(table, audit.manifest.parameters["measures"], audited.name, sanity, seed)
    older = audit.manifest.parameters.get("measures_version") != VERSION
    notes = (*notes, *_masks_note(table), *((OLDER,) if older else ()))
    return replace(found, machine=audit.manifest.machine, notes=notes)


def explanation_figures(
    table: pd.DataFrame, methods: Sequence[str], model: str, sanity: Mapping[str, MethodSanity], seed: int = 0
) -> Explanations:
    """The figures from rows with the columns `<method>_<measure>` of an audit."""
    weights = lesion_weights(table["lesion_id"], seed=seed)
    measured = {method: _measures(table, method) for method in methods}
    centres = {
        method: {name: (_medians if name in MEDIANS else _means)(one, weights) for name, one in of.items()}
        for method, of in measured.items()
    }
    controls = [method for method in methods if METHODS[method].control]

    def against(method: str, measure: str) -> Comparison | None:
        if method in controls or not controls:
            return None
        best = max(controls, key=lambda control: float(centres[control][measure][0]))
        paired = measured[method][measure] - measured[best][measure]
        return Comparison(best, estimate(_means(paired, weights)))

    figures = [
        MethodFigures(
            method=method,
            control=method in controls,
            **{name: estimate(values) for name, values in centres[method].items()},
            faithfulness_against=against(method, "faithfulness"),
            faithfulness_mean_colour_against=against(method, "faithfulness_mean_colour"),
            inside_mask_against=against(method, "inside_mask"),
            sanity=None if method in controls else sanity.get(method),
        )
        for method in methods
    ]
    return Explanations(
        model,
        len(table),
        table["lesion_id"].nunique(),
        estimate(_means(table[f"{methods[0]}_lesion_share"].to_numpy(np.float64), weights)),
        tuple(sorted(figures, key=lambda one: (one.control, -one.faithfulness.value))),
        _agreement(table, methods, weights),
    )


def _agreement(
    table: pd.DataFrame, methods: Sequence[str], weights: NDArray[np.float32]
) -> dict[str, dict[str, Estimate]]:
    """The mean agreement of every two methods, both ways round; nothing where the audit has not measured it."""
    found: dict[str, dict[str, Estimate]] = {}
    for one, other in combinations(methods, 2):
        if (column := agreement_column(one, other)) in table:
            mean = estimate(_means(table[column].to_numpy(np.float64), weights))
            found.setdefault(one, {})[other] = found.setdefault(other, {})[one] = mean
    return found


def _sanity_of(audited: AuditedModel) -> tuple[dict[str, MethodSanity], tuple[str, ...]]:
    """The sanity of the shipped bundle's methods, where it was measured on the audited weights, and what is not."""
    if not (SHIPPED / audited.name / CARD_FILE).is_file():
        return {}, ()
    bundle = load_bundle(SHIPPED / audited.name)
    if bundle.weights_digest != audited.weights:
        return {}, (f"These figures were measured on other weights than {audited.name} has now: {ANEW}",)
    try:
        known = read_sanity(bundle)
    except SanityError as error:
        return {}, (str(error),)
    current = {method: one for method, one in known.items() if not one.outdated}
    if len(current) == len(known):
        return current, ()
    return current, (
        f"Sanity was measured on other weights; run lesionlens sanity --model model/weights/{audited.name} again.",
    )


def _masks_note(table: pd.DataFrame) -> tuple[str, ...]:
    estimated = int(table["mask_estimated"].sum())
    if not estimated:
        return ()
    return (f"The lesion masks of {estimated} of {len(table)} cases were not drawn by anybody but estimated.",)


def _measures(table: pd.DataFrame, method: str) -> dict[str, NDArray[np.float64]]:
    def column(name: str) -> NDArray[np.float64]:
        return table[f"{method}_{name}"].to_numpy(np.float64)

    exchanged = {kind: column(area_name(kind, baseline, contrast=False)) for kind, baseline in EXCHANGED.items()}
    as_they_are = ("deletion_area", "insertion_area", "inside_mask", "background_to_lesion", "pointing", "border_share")
    return {
        "faithfulness": column("insertion_area") - column("deletion_area"),
        "faithfulness_exchanged": exchanged["insertion"] - exchanged["deletion"],
        "faithfulness_mean_colour": exchanged["insertion"] - column("deletion_area"),
        "faithfulness_contrast": column("insertion_area_contrast") - column("deletion_area_contrast"),
        "stability": np.min([column(f"stability_{name}") for name in REPETITIONS], axis=0),
        **{name: column(name) for name in (*as_they_are, "milliseconds", "evaluations")},
    }


def _means(values: NDArray[np.float64], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean over the cases in every resample, of those where the measure is defined."""
    defined = ~np.isnan(values)
    return share(weights[:, defined] @ values[defined], weights[:, defined].sum(axis=1))


def _medians(values: NDArray[np.float64], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """The median over the cases in every resample, of those where the measure is defined."""
    defined = ~np.isnan(values)
    counts = weights[:, defined]
    medians, drawn = np.full(len(weights), np.nan), counts.any(axis=1)
    if not drawn.any():
        return medians
    repeated = np.broadcast_to(values[defined], (drawn.sum(), defined.sum()))
    # From either side, since numpy's weighted quantile is one of the values: of an even number the middle two's mean.
    lower, upper = (
        sign * np.quantile(sign * repeated, 0.5, axis=1, weights=counts[drawn], method="inverted_cdf")
        for sign in (1, -1)
    )
    medians[drawn] = (lower + upper) / 2
    return medians

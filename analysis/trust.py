"""Should this map be believed? Its measures on one image beside those of the controls, and the verdicts from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analysis.faithfulness import Curves, areas, perturbation_curves
from analysis.localisation import localisation
from analysis.pause import Pause, go_on
from analysis.sanity import MethodSanity, SanityError, read_sanity
from analysis.stability import stability
from analysis.verdicts import REPETITIONS, Verdict, verdicts
from explain import explain
from explain.attribution import Attribution, Target
from explain.methods import METHODS
from explain.overlay import enlarged
from model.bundle import ModelBundle
from model.dense_head import FEATURES
from model.prediction import Predictor
from model.segmentation import segment

REMEMBERED = 12
STEPS = 1 + len(REPETITIONS)


@dataclass(frozen=True, eq=False)
class Trust:
    """What is known of the worth of one map.

    `measures` are named as in `measures`, those of stability missing until they are measured; `controls` has the same
    without stability for each control, `curves` the deletion and insertion curves of the method and of each control.
    `sanity` is None where it was not measured or cannot be read; `sanity_problem` says why, where there is a reason.
    `mask_estimated` says that the lesion was not drawn by anybody but segmented.
    """

    method: str
    target: Target
    measures: Mapping[str, float]
    controls: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Curves]
    sanity: MethodSanity | None
    mask_estimated: bool
    sanity_problem: str | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Better or worse than the controls, stable or not, passes sanity or not, on the lesion or not."""
        contrast = self.target.against is not None
        return verdicts(
            self.method,
            self.measures,
            self.controls,
            self.sanity,
            contrast=contrast,
            sanity_problem=self.sanity_problem,
        )


def trust(
    attribution: Attribution,
    image: NDArray[np.uint8],
    predictor: Predictor,
    mask: NDArray[np.bool_] | None = None,
    *,
    check: Pause = go_on,
) -> Iterator[Trust]:
    """Judge an attribution of a prepared image, uint8 (size, size, 3): first without stability, then with more of it.

    `mask` is bool (size, size), True in the lesion; without one it is estimated. The first costs 95 evaluations and as
    many for each control, which are remembered for the next method on the same image; the others
    `stability.repetitions` runs of the method. There are STEPS.
    `check` is called before every batch.
    """
    lesion = segment(image) if mask is None else mask
    target, classes = attribution.target, predictor.bundle.card.classes
    values = enlarged(attribution, *image.shape[:2])
    curves = {attribution.method: perturbation_curves(values, image, predictor, check=check)}
    control_found = {}
    for code in controls():
        control_values, curves_of_control = _remembered(_Control(code, predictor, image.tobytes(), image.shape, check))
        curves.setdefault(code, curves_of_control)
        control_found[code] = _at_once(control_values, curves_of_control, target, classes, lesion)
    sanity, sanity_problem = _sanity(predictor.bundle, attribution)
    first = Trust(
        attribution.method,
        target,
        _at_once(values, curves[attribution.method], target, classes, lesion),
        control_found,
        curves,
        sanity,
        mask is None,
        sanity_problem,
    )
    yield first
    found = first.measures
    for name, value in stability(attribution, image, predictor, check=check):
        found = {**found, name: value}
        yield replace(first, measures=found)


def measures(
    attribution: Attribution,
    image: NDArray[np.uint8],
    predictor: Predictor,
    mask: NDArray[np.bool_],
    *,
    check: Pause = go_on,
) -> dict[str, float]:
    """Every measure of an attribution of a prepared image, uint8 (size, size, 3), against its mask, bool (size, size).

    The names are those of `faithfulness.areas`, `localisation` and `stability`, and with a method's code before them
    the columns of an audit. Costs 95 evaluations and `stability.repetitions` runs of the method.
    """
    values = enlarged(attribution, *image.shape[:2])
    curves = perturbation_curves(values, image, predictor, check=check)
    at_once = _at_once(values, curves, attribution.target, predictor.bundle.card.classes, mask)
    return {**at_once, **dict(stability(attribution, image, predictor, check=check))}


def controls() -> list[str]:
    """The codes of the methods that know nothing of the network."""
    return [code for code, method in METHODS.items() if method.control]


def _at_once(
    values: NDArray[np.float32],
    curves: Curves,
    target: Target,
    classes: tuple[str, ...],
    mask: NDArray[np.bool_],
) -> dict[str, float]:
    return {**areas(curves, target, classes), **localisation(values, mask)}


def _sanity(bundle: ModelBundle, attribution: Attribution) -> tuple[MethodSanity | None, str | None]:
    """What is known of a method's sanity, or why nothing is: the map is worth judging without it."""
    if attribution.parameters.get("layer", FEATURES) != FEATURES:
        return None, f"It is measured for maps at the last layer only, {FEATURES}."
    try:
        return read_sanity(bundle).get(attribution.method), None
    except SanityError as error:
        return None, str(error)


@dataclass(frozen=True)
class _Control:
    """A control on a prepared image: what its curves are remembered by, and `check`, which they may be ended by."""

    code: str
    predictor: Predictor
    pixels: bytes
    shape: tuple[int, ...]
    check: Pause = field(default=go_on, compare=False)


@lru_cache(maxsize=REMEMBERED)
def _remembered(control: _Control) -> tuple[NDArray[np.float32], Curves]:
    """A control's map at the size of an image, and its curves; remembered, since every method is held against it."""
    image = np.frombuffer(control.pixels, np.uint8).reshape(control.shape)
    attribution = explain(image, control.predictor, control.code, control.predictor.bundle.card.classes[0])
    values = enlarged(attribution, *control.shape[:2])
    return values, perturbation_curves(values, image, control.predictor, check=control.check)

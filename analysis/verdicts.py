"""What the measures of a map say to somebody who wants to know whether to believe it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.faithfulness import DECIDING, EXCHANGED, area_name
from analysis.sanity import FEWEST_IMAGES, PASSES_BELOW, MethodSanity
from explain.methods import METHODS

# At a rank correlation of 0.7 two maps share half of their variance.
STABLE = 0.7
# A place in the lesion counts at least twice as much as one outside.
LOCALISED_BELOW = 0.5
REPETITIONS = {"symmetries": "turned and mirrored", "brightness": "other brightness", "seeds": "other seed"}

Measures = Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """One answer: `good` True or False, or None where it is not known.

    `text` says it in a few words, `number` is what it rests on, `detail` all of that in a sentence.
    """

    question: str
    good: bool | None
    text: str
    number: str
    detail: str


def verdicts(
    method: str,
    measures: Measures,
    controls: Mapping[str, Measures],
    sanity: MethodSanity | None,
    *,
    contrast: bool,
    sanity_problem: str | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts on one map of `method`; `contrast` says that it explains a difference of two logits.

    `sanity_problem` is why its sanity cannot be read.
    """
    return (
        against_controls(method, measures, controls, contrast=contrast),
        on_stability(measures),
        on_sanity(sanity, sanity_problem),
        on_localisation(measures),
    )


def faithfulness(measures: Measures, *, contrast: bool, baselines: Mapping[str, str] = DECIDING) -> float:
    """Insertion area less deletion area, on the contrast or on the target's logit: the higher the better.

    `baselines` are those of each kind of curve: DECIDING or EXCHANGED.
    """
    insertion, deletion = (
        measures[area_name(kind, baselines[kind], contrast=contrast)] for kind in ("insertion", "deletion")
    )
    return insertion - deletion


def against_controls(method: str, measures: Measures, controls: Mapping[str, Measures], *, contrast: bool) -> Verdict:
    """Whether the map finds what moves the score better than maps that know nothing of the network.

    On the baselines that decide; the detail says what the others would have said.
    """
    others = {code: one for code, one in controls.items() if code != method}
    own, found = _faithfulness_of(measures, others, contrast=contrast, baselines=DECIDING)
    if not others:
        return Verdict("controls", None, "controls not measured", "", f"Insertion less deletion area: {_number(own)}.")
    own_exchanged, found_exchanged = _faithfulness_of(measures, others, contrast=contrast, baselines=EXCHANGED)
    listed = ", ".join(f"{METHODS[code].name} {_number(other)}" for code, other in found.items())
    detail = (
        f"Insertion less deletion area: {_number(own)}; {listed}. With the baselines exchanged: "
        f"{_number(own_exchanged)}, {_against(own_exchanged, found_exchanged)}."
    )
    number = f"{_number(own)} against {_number(max(found.values()))}"
    return Verdict("controls", own > max(found.values()), _against(own, found), number, detail)


def on_stability(measures: Measures) -> Verdict:
    """Whether the method gives nearly the same map again under every change that should not matter."""
    found = {name: measures[f"stability_{name}"] for name in REPETITIONS if f"stability_{name}" in measures}
    if len(found) < len(REPETITIONS):
        return Verdict("stability", None, "stability not measured", "", "")
    detail = ", ".join(f"{REPETITIONS[name]} {_number(value)}" for name, value in found.items())
    lowest = min(found.values())
    text = "stable" if lowest >= STABLE else "not stable"
    return Verdict(
        "stability",
        lowest >= STABLE,
        text,
        _number(lowest),
        f"Rank correlation with itself: {detail}; stable from {STABLE:.1f}.",
    )


def on_sanity(sanity: MethodSanity | None, problem: str | None = None) -> Verdict:
    """Whether the method's maps depend on what the network has learnt; of the model, not of this image.

    `problem` is why what was measured cannot be read.
    """
    if sanity is None:
        measured_by = "It is measured once for a model, by the command lesionlens sanity."
        return Verdict("sanity", None, "sanity not measured", "", problem or measured_by)
    if sanity.outdated:
        again = "It was measured on other weights; run lesionlens sanity on this model again."
        return Verdict("sanity", None, "sanity not measured", "", again)
    found = sanity.deciding
    stages = ", ".join(
        f"{stage}: {_number(one.value)}" for stage, one in zip(sanity.stages, sanity.signed, strict=True)
    )
    detail = (
        f"Rank correlation with the maps of a randomised network, of signed or of absolute values, whichever is "
        f"larger: {_number(found.value)} (95 % interval {_number(found.low)} to {_number(found.high)}), for the called "
        f"class of {len(sanity.images)} images; passes if all of that is below {PASSES_BELOW:.1f}. Of signed values, "
        f"randomised from the logits down to {stages}."
    )
    if len(sanity.images) < FEWEST_IMAGES:
        detail += f" {len(sanity.images)} are too few: give lesionlens sanity a data set by --data."
    text = {True: "passes sanity", False: "fails sanity", None: "sanity in doubt"}[sanity.passes]
    return Verdict("sanity", sanity.passes, text, _number(found.value), detail)


def on_localisation(measures: Measures) -> Verdict:
    """Whether what speaks for the target lies on the lesion."""
    ratio = measures["background_to_lesion"]
    if math.isnan(ratio):
        detail = "Nothing speaks for it, or the lesion fills the image."
        return Verdict("localisation", None, "location not known", "", detail)
    inside = f"{100 * measures['inside_mask']:.0f} %"
    detail = (
        f"{inside} of what speaks for it is in the lesion, which is "
        f"{100 * measures['lesion_share']:.0f} % of the image; background to lesion {_number(ratio)}."
    )
    if ratio < LOCALISED_BELOW:
        return Verdict("localisation", True, "on the lesion", inside, detail)
    text = "partly off the lesion" if ratio < 1 else "off the lesion"
    return Verdict("localisation", False, text, inside, detail)


def _faithfulness_of(
    measures: Measures, others: Mapping[str, Measures], *, contrast: bool, baselines: Mapping[str, str]
) -> tuple[float, dict[str, float]]:
    own, *found = (faithfulness(one, contrast=contrast, baselines=baselines) for one in (measures, *others.values()))
    return own, dict(zip(others, found, strict=True))


def _against(own: float, controls: Mapping[str, float]) -> str:
    """How a map compares with controls, in words; a control that is as good is no worse."""
    as_good = [METHODS[code].name for code, other in controls.items() if other >= own]
    if not as_good:
        return "better than controls"
    if len(as_good) == len(controls):
        return "worse than controls"
    return f"no better than {' and '.join(as_good)}"


def _number(value: float) -> str:
    return "∞" if value == math.inf else f"{value:.2f}".replace("-", "−")

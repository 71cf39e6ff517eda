"""What the measures of a map say to somebody who wants to know whether to believe it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.sanity import PASSES_BELOW, MethodSanity
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
) -> tuple[Verdict, ...]:
    """The verdicts on one map of `method`; `contrast` says that it explains a difference of two logits."""
    return (
        against_controls(method, measures, controls, contrast=contrast),
        on_stability(measures),
        on_sanity(sanity),
        on_localisation(measures),
    )


def faithfulness(measures: Measures, *, contrast: bool) -> float:
    """Insertion area less deletion area, on the contrast or on the target's logit: the higher the better."""
    suffix = "_contrast" if contrast else ""
    return measures[f"insertion_area{suffix}"] - measures[f"deletion_area{suffix}"]


def against_controls(method: str, measures: Measures, controls: Mapping[str, Measures], *, contrast: bool) -> Verdict:
    """Whether the map finds what moves the score better than maps that know nothing of the network."""
    own = faithfulness(measures, contrast=contrast)
    others = {code: faithfulness(one, contrast=contrast) for code, one in controls.items() if code != method}
    if not others:
        return Verdict("controls", None, "controls not measured", "", f"Insertion less deletion area: {_number(own)}.")
    beaten_by = [METHODS[code].name for code, other in others.items() if other >= own]
    if not beaten_by:
        text = "better than controls"
    elif len(beaten_by) == len(others):
        text = "worse than controls"
    else:
        text = f"no better than {' and '.join(beaten_by)}"
    found = ", ".join(f"{METHODS[code].name} {_number(other)}" for code, other in others.items())
    number = f"{_number(own)} against {_number(max(others.values()))}"
    return Verdict("controls", not beaten_by, text, number, f"Insertion less deletion area: {_number(own)}; {found}.")


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


def on_sanity(sanity: MethodSanity | None) -> Verdict:
    """Whether the method's maps depend on what the network has learnt; of the model, not of this image."""
    if sanity is None:
        return Verdict(
            "sanity",
            None,
            "sanity not measured",
            "",
            "It is measured once for a model, by the command lesionlens sanity.",
        )
    detail = (
        f"Rank correlation with the maps of a randomised network: {_number(sanity.signed[-1])}, "
        f"over {len(sanity.images)} images; passes below {PASSES_BELOW:.1f}."
    )
    text = "passes sanity" if sanity.passes else "fails sanity"
    return Verdict("sanity", sanity.passes, text, _number(sanity.signed[-1]), detail)


def on_localisation(measures: Measures) -> Verdict:
    """Whether what speaks for the target lies on the lesion."""
    ratio = measures["background_to_lesion"]
    if math.isnan(ratio):
        detail = "Nothing speaks for it, or the lesion fills the image."
        return Verdict("localisation", None, "location not known", "", detail)
    inside = f"{100 * measures['inside_mask']:.0f} %"
    detail = (
        f"{inside} of what speaks for it is in the lesion, which is "
        f"{100 * measures['lesion_share']:.0f} % of the image; background to lesion {ratio:.2f}."
    )
    if ratio < LOCALISED_BELOW:
        return Verdict("localisation", True, "on the lesion", inside, detail)
    text = "partly off the lesion" if ratio < 1 else "off the lesion"
    return Verdict("localisation", False, text, inside, detail)


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")

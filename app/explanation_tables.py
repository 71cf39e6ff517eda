"""The table Which explanation to trust as text: the same in the README, on the dashboard and as a file."""

import pandas as pd

from analysis.bootstrap import Estimate
from analysis.explanations import Comparison, Explanations, MethodFigures
from analysis.sanity import DRAWN, WORDS
from app.csv_answers import estimate_columns
from app.markdown import markdown_table
from app.numbers import DASH, signed_interval, with_interval
from explain.methods import METHODS

COLUMNS = ("Method", "Faithfulness", "In the lesion", "Sanity", "Stability", "Milliseconds")
ESTIMATES = (
    "faithfulness",
    "faithfulness_exchanged",
    "faithfulness_mean_colour",
    "faithfulness_contrast",
    "deletion_area",
    "insertion_area",
    "inside_mask",
    "background_to_lesion",
    "pointing",
    "border_share",
    "stability",
    "milliseconds",
    "evaluations",
)
NOT_MEASURED = Estimate(*[float("nan")] * 3)
_CAPTION = (
    "Means over the cases with 95 % intervals over lesions, each for itself. Faithfulness: insertion less deletion "
    "area of the called class's logit, about 0 for a map that knows nothing; what is deleted is hidden behind the mean "
    "colour, what is inserted shows on a blur, behind which LIME, SHAP, RISE and occlusion hide, too. In the lesion: "
    "share of the map's positive part inside the mask. Sanity: rank correlation with the map of the randomised "
    "network, of signed or of absolute values, whichever is larger; passes where all of the interval is below 0.5{}; a "
    "map that is not stable passes whatever the network knows. Stability: the least rank correlation with itself under "
    "turns and flips (one of each for slow methods), other brightness, another seed. Milliseconds: without the "
    "superpixels, which several methods share."
)


def markdown(found: Explanations) -> str:
    """The table, what it stands on, and where a control beats a method."""
    table = markdown_table(COLUMNS, [row(one) for one in found.methods])
    return f"{table}\n\n{size(found)} {caption(found)}\n\n" + "\n\n".join(statements(found))


def row(one: MethodFigures) -> list[str]:
    """One method in the columns of COLUMNS."""
    name = METHODS[one.method].name
    return [
        f"*{name}* (control)" if one.control else name,
        signed_interval(one.faithfulness, 2),
        with_interval(one.inside_mask, 2),
        sanity(one),
        signed_interval(one.stability, 2),
        with_interval(one.milliseconds, milliseconds_digits(one)),
    ]


def milliseconds_digits(one: MethodFigures) -> int:
    """How many decimals of its milliseconds say something."""
    return 1 if one.milliseconds.value < 10 else 0


def sanity(one: MethodFigures) -> str:
    """Whether a method passes sanity, with its correlation."""
    if one.sanity is None:
        return DASH
    return f"{WORDS[one.sanity.passes]} {signed_interval(one.sanity.deciding, 2)}"


def size(found: Explanations) -> str:
    """On how many cases the figures stand, and on what machine the milliseconds were taken."""
    measured = f"; milliseconds on {found.machine}" if found.machine else ""
    return f"A sample of {found.cases:,} test cases of {found.lesions:,} lesions, {found.model}{measured}."


def caption(found: Explanations) -> str:
    """What the columns mean."""
    images = max((one.sanity.images for one in found.methods if one.sanity is not None), key=len, default=())
    drawn = sum(name.startswith(DRAWN) for name in images)
    computer = f", {drawn} of them drawn by a computer" if drawn else ""
    return _CAPTION.format(f", over {len(images)} images of different lesions{computer}" if images else "")


def statements(found: Explanations) -> list[str]:
    """Which figures are outdated, and where a control beats a method or is not told apart from it: a sentence each."""
    faithfulness = [(one, one.faithfulness_against) for one in found.methods]
    mean_colour = [(one, one.faithfulness_mean_colour_against) for one in found.methods]
    inside = [(one, one.inside_mask_against) for one in found.methods]
    return [
        *found.notes,
        _statement("Faithfulness", faithfulness),
        _statement("Faithfulness with both on the mean colour", mean_colour),
        _statement("In the lesion", inside),
    ]


def verdict(against: Comparison | None) -> str:
    """A comparison in a few words."""
    if against is None:
        return ""
    control = METHODS[against.control].name
    if against.beaten:
        return f"beaten by {control}"
    return f"better than {control}" if against.better else f"not told apart from {control}"


def estimates_table(found: Explanations) -> pd.DataFrame:
    """Everything as a table of numbers: one row a method, every estimate with the ends of its interval."""
    rows = []
    for one in found.methods:
        cells: dict[str, object] = {"method": one.method, "control": one.control}
        known = one.sanity
        last = (NOT_MEASURED,) * 3 if known is None else (known.deciding, known.signed[-1], known.absolute[-1])
        cells |= estimate_columns({name: getattr(one, name) for name in ESTIMATES})
        cells |= estimate_columns(dict(zip(("sanity", "sanity_signed", "sanity_absolute"), last, strict=True)))
        cells["passes_sanity"] = None if one.sanity is None else one.sanity.passes
        rows.append(cells)
    return pd.DataFrame(rows)


def _statement(measure: str, compared: list[tuple[MethodFigures, Comparison | None]]) -> str:
    known = [(METHODS[one.method].name, against) for one, against in compared if against is not None]
    if not known:
        return f"{measure}: no control was measured."
    control = METHODS[known[0][1].control].name
    beaten = [name for name, against in known if against.beaten]
    better = [name for name, against in known if against.better]
    equal = [name for name, against in known if not against.beaten and not against.better]
    parts = [f"the control {control} beats {', '.join(beaten)}"] if beaten else []
    parts += [f"not told apart from the control {control}: {', '.join(equal)}"] if equal else []
    parts += [f"better than the control {control}: {', '.join(better)}"] if better else []
    return f"{measure}: {'; '.join(parts)}."

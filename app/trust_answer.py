"""What programs are answered about the worth of a map, in JSON-compatible values."""

from typing import Any

from analysis.faithfulness import BASELINES, DECIDING, SHARES
from analysis.trust import Trust
from app.jsonable import jsonable


def trust_answer(trust: Trust, classes: tuple[str, ...]) -> dict[str, Any]:
    """Measures, verdicts, the controls' measures, the sanity check, and the curves of the score that was explained.

    What is not defined or not measured is null, and so is the ratio of background to lesion of a map that lies wholly
    outside (`inside_mask` is 0). The curves of the method and of each control, deletion and insertion
    on each of `baselines`, hold one score for each of `share_of_pixels`, in logits. `deciding` are the baselines that
    the verdicts rest on.
    """
    weights = trust.target.weights(classes)
    curves = {
        code: {kind: {name: one.of(kind, name) @ weights for name in BASELINES} for kind in DECIDING}
        for code, one in trust.curves.items()
    }
    answer = {
        "method": trust.method,
        "target": trust.target.code,
        "against": trust.target.against,
        "verdicts": trust.verdicts,
        "measures": trust.measures,
        "controls": trust.controls,
        "sanity": trust.sanity,
        "lesion_mask": "estimated" if trust.mask_estimated else "given",
        "baselines": BASELINES,
        "deciding": DECIDING,
        "curves": {"share_of_pixels": SHARES, **curves},
    }
    return {key: jsonable(value) for key, value in answer.items()}

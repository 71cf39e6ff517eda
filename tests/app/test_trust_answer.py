import json

import numpy as np

from analysis.faithfulness import STEPS, Curves
from analysis.sanity import MethodSanity
from analysis.trust import Trust
from app.trust_answer import trust_answer
from app.trust_figure import curves_figure
from app.trust_panel import ESTIMATED, shown
from explain.attribution import Target

CLASSES = ("bcc", "mel", "nv")
STRAIGHT = np.linspace([1.0, 3.0, 2.0], [0.0, 0.0, 0.0], STEPS + 1).astype(np.float32)
CURVES = Curves(STRAIGHT, STRAIGHT[::-1])


def measures(area: float) -> dict[str, float]:
    names = ("deletion_area", "insertion_area", "deletion_area_contrast", "insertion_area_contrast")
    location = {"inside_mask": float("nan"), "background_to_lesion": float("nan"), "lesion_share": 0.2}
    return {**dict.fromkeys(names, area), **location}


TRUST = Trust(
    "lime",
    Target("mel", "nv"),
    measures(0.25),
    {"gaussian": measures(0.5)},
    {"lime": CURVES, "gaussian": CURVES},
    MethodSanity(("logits",), (0.1,), (0.2,), ("phantom",)),
    mask_estimated=True,
)


def test_what_programs_are_answered_is_json_without_nan() -> None:
    answer = json.loads(json.dumps(trust_answer(TRUST, CLASSES), allow_nan=False))
    assert (answer["method"], answer["target"], answer["against"]) == ("lime", "mel", "nv")
    assert answer["measures"]["inside_mask"] is None
    assert answer["sanity"]["signed"] == [0.1]
    assert answer["lesion_mask"] == "estimated"


def test_its_curves_are_of_the_score_that_was_explained() -> None:
    curves = trust_answer(TRUST, CLASSES)["curves"]
    assert curves["lime"]["deletion"][0] == curves["lime"]["insertion"][-1] == 1
    assert len(curves["share_of_pixels"]) == len(curves["gaussian"]["deletion"]) == STEPS + 1


def test_the_figure_draws_the_map_and_the_controls_once_hidden_and_once_shown() -> None:
    figure = curves_figure(TRUST, CLASSES)
    names = [trace.name for trace in figure.data]
    assert names == ["Centred Gaussian 0.50", "LIME 0.25"] * 2
    assert figure.layout.yaxis.title.text == "Logit of mel − nv"


def test_the_browser_is_sent_the_verdicts_with_their_numbers() -> None:
    sent = shown(TRUST, CLASSES)
    assert [chip["text"] for chip in sent["chips"]] == [
        "worse than controls",
        "stability not measured",
        "passes sanity",
        "location not known",
    ]
    assert sent["note"] == ESTIMATED
    assert sent["title"] == "LIME: mel rather than nv"

import json

import numpy as np

from analysis.bootstrap import Estimate
from analysis.faithfulness import BASELINES, DECIDING, EXCHANGED, STEPS, Curves, area_name
from analysis.sanity import MethodSanity
from analysis.trust import Trust
from app.trust_answer import trust_answer
from app.trust_figure import curves_figure
from app.trust_panel import ESTIMATED, shown
from explain.attribution import Target

CLASSES = ("bcc", "mel", "nv")
STRAIGHT = np.linspace([1.0, 3.0, 2.0], [0.0, 0.0, 0.0], STEPS + 1).astype(np.float32)
CURVES = Curves(
    {"mean_colour": STRAIGHT, "blur": 2 * STRAIGHT}, {"mean_colour": 2 * STRAIGHT[::-1], "blur": STRAIGHT[::-1]}
)


def measures(area: float) -> dict[str, float]:
    names = [
        area_name(kind, baseline, contrast=contrast)
        for kind in DECIDING
        for baseline in BASELINES
        for contrast in (False, True)
    ]
    location = {"inside_mask": float("nan"), "background_to_lesion": float("nan"), "lesion_share": 0.2}
    return {**dict.fromkeys(names, area), **location}


TRUST = Trust(
    "lime",
    Target("mel", "nv"),
    measures(0.25),
    {"gaussian": measures(0.5)},
    {"lime": CURVES, "gaussian": CURVES},
    MethodSanity(("logits",), (Estimate(0.1, 0.0, 0.3),), (Estimate(0.2, 0.1, 0.4),), tuple("abcde")),
    mask_estimated=True,
)


def test_what_programs_are_answered_is_json_without_nan() -> None:
    answer = json.loads(json.dumps(trust_answer(TRUST, CLASSES), allow_nan=False))
    assert (answer["method"], answer["target"], answer["against"]) == ("lime", "mel", "nv")
    assert answer["measures"]["inside_mask"] is None
    assert answer["sanity"]["signed"] == [{"value": 0.1, "low": 0.0, "high": 0.3}]
    assert answer["lesion_mask"] == "estimated"


def test_its_curves_are_of_the_score_that_was_explained() -> None:
    answer = trust_answer(TRUST, CLASSES)
    curves = answer["curves"]
    assert curves["lime"]["deletion"]["mean_colour"][0] == curves["lime"]["insertion"]["blur"][-1] == 1
    assert curves["lime"]["deletion"]["blur"][0] == 2
    assert len(curves["share_of_pixels"]) == len(curves["gaussian"]["deletion"]["blur"]) == STEPS + 1
    assert answer["baselines"].keys() == curves["gaussian"]["insertion"].keys()
    assert answer["deciding"] == {"deletion": "mean_colour", "insertion": "blur"}


def test_the_figure_draws_the_map_and_the_controls_once_hidden_and_once_shown() -> None:
    figure = curves_figure(TRUST, CLASSES, DECIDING)
    names = [trace.name for trace in figure.data]
    assert names == ["Centred Gaussian 0.50", "LIME 0.25"] * 2
    assert figure.layout.yaxis.title.text == "Logit of mel − nv"
    assert "behind the mean colour" in figure.layout.xaxis.title.text
    exchanged = curves_figure(TRUST, CLASSES, EXCHANGED)
    assert "by blurring" in exchanged.layout.xaxis.title.text
    assert exchanged.data[0].y[0] == 2 * figure.data[0].y[0]


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
    assert sent["figures"].keys() == {"deciding", "exchanged"}

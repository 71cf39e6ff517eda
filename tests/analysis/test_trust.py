from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.bootstrap import Estimate
from analysis.sanity import SANITY_FILE, MethodSanity
from analysis.trust import STEPS, controls, measures, trust
from explain import explain
from explain.attribution import Attribution, Target
from explain.methods import METHODS
from tests.explain.linear import QUADRANTS, SIZE, QuadrantPredictor, noise

TARGET = Target("mel")
AT_ONCE = {
    *(name for kind in ("", "_contrast") for name in (f"deletion_area{kind}", f"insertion_area{kind}")),
    *(
        name
        for kind in ("", "_contrast")
        for name in (f"deletion_area_blur{kind}", f"insertion_area_mean_colour{kind}")
    ),
    "inside_mask",
    "pointing",
    "background_to_lesion",
    "border_share",
    "lesion_share",
}
STABILITY = {"stability_symmetries", "stability_brightness", "stability_seeds"}
CONTROLS = ["random", "gaussian", "edges"]


def mask() -> np.ndarray:
    inside = np.zeros((SIZE, SIZE), bool)
    inside[QUADRANTS["mel"]] = True
    return inside


def image() -> np.ndarray:
    """What mel looks at is white, the rest is grey."""
    picture = np.full((SIZE, SIZE, 3), 128, np.uint8)
    picture[QUADRANTS["mel"]] = 255
    return picture


def attribution(values: np.ndarray) -> Attribution:
    return Attribution(values.astype(np.float32), "occlusion", TARGET, {}, 0, 1, 0.1)


def test_the_map_of_what_the_network_looks_at_is_better_than_all_controls_and_on_the_lesion() -> None:
    first, *_ = trust(attribution(mask()), image(), QuadrantPredictor(), mask())
    assert list(first.controls) == controls() == CONTROLS
    assert [verdict.good for verdict in first.verdicts] == [True, None, None, True]
    assert set(first.curves) == {"occlusion", *CONTROLS}
    assert first.mask_estimated is False


def test_the_opposite_map_is_worse_and_nowhere_near() -> None:
    first, *_ = trust(attribution(-1.0 * mask()), image(), QuadrantPredictor(), mask())
    assert first.verdicts[0].text == "worse than controls"
    assert first.verdicts[3].good is None


def test_it_is_judged_at_once_and_once_more_with_each_part_of_its_stability() -> None:
    found = [set(one.measures) for one in trust(attribution(mask()), image(), QuadrantPredictor(), mask())]
    assert [len(each - AT_ONCE) for each in found] == [*range(STEPS)]
    assert (found[0], found[-1]) == (AT_ONCE, AT_ONCE | STABILITY)


def test_the_measures_of_the_audit_are_the_same() -> None:
    *_, judged = trust(attribution(mask()), image(), QuadrantPredictor(), mask())
    assert measures(attribution(mask()), image(), QuadrantPredictor(), mask()) == judged.measures
    for code, of_panel in judged.controls.items():
        control = explain(image(), QuadrantPredictor(), code, TARGET.code, TARGET.against)
        of_audit = measures(control, image(), QuadrantPredictor(), mask())
        assert {name: of_audit[name] for name in AT_ONCE} == of_panel


def test_without_a_mask_it_is_estimated_and_says_so() -> None:
    first, *_ = trust(attribution(mask()), image(), QuadrantPredictor())
    assert first.mask_estimated is True
    assert 0 < first.measures["lesion_share"] < 1


def test_the_controls_of_an_image_are_run_once() -> None:
    predictor = QuadrantPredictor()
    runs = []
    for _ in range(2):
        before = predictor.images
        next(trust(attribution(mask()), image(), predictor, mask()))
        runs.append(predictor.images - before)
    assert runs == [4 * 95, 95]


def test_a_control_can_be_judged_too() -> None:
    chosen = METHODS["gaussian"]
    assert chosen.control
    values = next(iter(np.ones((1, SIZE, SIZE), np.float32)))
    gaussian = Attribution(values, "gaussian", TARGET, {}, 0, 0, 0.1)
    first, *_ = trust(gaussian, noise(), QuadrantPredictor(), mask())
    assert first.verdicts[0].number
    with pytest.raises(KeyError):
        _ = first.measures["stability_seeds"]


def test_a_damaged_file_of_sanity_costs_that_verdict_alone_and_says_what_to_do(tmp_path: Path) -> None:
    predictor = QuadrantPredictor()
    predictor.bundle = replace(predictor.bundle, path=tmp_path)
    (tmp_path / SANITY_FILE).write_text('{"methods": ')
    first, *_, last = trust(attribution(mask()), image(), predictor, mask())
    assert [verdict.good is None for verdict in last.verdicts] == [False, False, True, False]
    assert first.sanity is None
    assert "`lesionlens sanity` writes; run it again" in first.verdicts[2].detail


def test_sanity_is_not_claimed_of_a_map_at_another_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    known = MethodSanity(("logits",), (Estimate(0, 0, 0),), (Estimate(0, 0, 0),), tuple("abcde"))
    monkeypatch.setattr("analysis.trust.read_sanity", lambda bundle: {"occlusion": known})
    verdicts = []
    for parameters in ({}, {"layer": "features"}, {"layer": "stage1"}):
        first = next(trust(replace(attribution(mask()), parameters=parameters), image(), QuadrantPredictor(), mask()))
        verdicts.append((first.verdicts[2].good, first.verdicts[2].detail))
    assert [good for good, _ in verdicts] == [True, True, None]
    assert verdicts[2][1] == "It is measured for maps at the last layer only, features."


def test_it_can_be_ended_while_a_control_is_run() -> None:
    predictor = QuadrantPredictor()

    def check() -> None:
        if predictor.images > 95 + 30:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        next(trust(attribution(mask()), noise(7), predictor, mask(), check=check))
    assert predictor.images < 95 + 60
    next(trust(attribution(mask()), noise(7), predictor, mask()))
    assert predictor.images > 4 * 95

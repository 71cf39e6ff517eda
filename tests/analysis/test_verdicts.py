from dataclasses import replace

import pytest

from analysis.bootstrap import Estimate
from analysis.sanity import MethodSanity
from analysis.verdicts import against_controls, on_localisation, on_sanity, on_stability, verdicts


def areas(deletion: float, insertion: float) -> dict[str, float]:
    """The other way round on the contrast, and on the baselines that do not decide."""
    return {
        "deletion_area": deletion,
        "insertion_area": insertion,
        "deletion_area_contrast": insertion,
        "insertion_area_contrast": deletion,
        "deletion_area_blur": insertion,
        "insertion_area_mean_colour": deletion,
        "deletion_area_blur_contrast": deletion,
        "insertion_area_mean_colour_contrast": insertion,
    }


def found(*correlations: float, images: str = "abcdefghi") -> MethodSanity:
    estimates = tuple(Estimate(value, value - 0.2, value + 0.2) for value in correlations)
    return MethodSanity(("logits", "6 × 6"), estimates, estimates, tuple(images))


CONTROLS = {"random": areas(0.5, 0.5), "gaussian": areas(0.3, 0.6), "edges": areas(0.4, 0.5)}


@pytest.mark.parametrize(
    ("own", "good", "text"),
    [
        (areas(0.2, 0.6), True, "better than controls"),
        (areas(0.3, 0.5), False, "no better than Centred Gaussian"),
        (areas(0.45, 0.5), False, "no better than Centred Gaussian and Edges"),
        (areas(0.6, 0.5), False, "worse than controls"),
    ],
)
def test_a_map_is_better_than_the_controls_or_the_ones_that_beat_it_are_named(
    own: dict[str, float], good: bool, text: str
) -> None:
    verdict = against_controls("lime", own, CONTROLS, contrast=False)
    assert (verdict.good, verdict.text) == (good, text)
    assert "Centred Gaussian 0.30" in verdict.detail


def test_what_the_other_baselines_would_say_is_said_too() -> None:
    detail = against_controls("lime", areas(0.2, 0.6), CONTROLS, contrast=False).detail
    assert detail.endswith("With the baselines exchanged: −0.40, worse than controls.")


def test_a_contrast_is_judged_on_the_contrast() -> None:
    assert against_controls("lime", areas(0.2, 0.6), CONTROLS, contrast=True).text == "worse than controls"


def test_a_control_is_not_held_against_itself() -> None:
    assert against_controls("gaussian", CONTROLS["gaussian"], CONTROLS, contrast=False).good is True


def test_without_controls_nothing_is_said() -> None:
    assert against_controls("lime", areas(0.2, 0.6), {}, contrast=False).good is None


def test_a_map_is_as_stable_as_the_least_stable_change_leaves_it() -> None:
    measures = {"stability_symmetries": 0.69, "stability_brightness": 0.99, "stability_seeds": 1.0}
    assert (on_stability(measures).good, on_stability(measures).number) == (False, "0.69")
    assert on_stability({**measures, "stability_symmetries": 0.7}).good is True
    assert on_stability({}).good is None


def test_a_method_whose_maps_survive_randomisation_fails() -> None:
    passed = on_sanity(found(0.9, 0.29))
    assert (passed.good, passed.text, passed.number) == (True, "passes sanity", "0.29")
    assert "0.29 (95 % interval 0.09 to 0.49)" in passed.detail
    assert passed.detail.endswith("randomised from the logits down to logits: 0.90, 6 × 6: 0.29.")
    failed = on_sanity(found(0.1, 0.8))
    assert (failed.good, failed.text) == (False, "fails sanity")
    assert on_sanity(None).good is None


def test_where_the_interval_leaves_it_open_sanity_is_in_doubt() -> None:
    for value in (0.4, 0.6):
        verdict = on_sanity(found(0.9, value))
        assert (verdict.good, verdict.text) == (None, "sanity in doubt")


def test_sanity_of_two_images_is_no_verdict() -> None:
    verdict = on_sanity(found(0.9, 0.1, images="ab"))
    assert verdict.good is None
    assert verdict.detail.endswith("2 are too few: give lesionlens sanity a data set by --data.")
    assert "too few" not in on_sanity(found(0.9, 0.1)).detail


def test_what_was_found_on_other_weights_is_no_verdict() -> None:
    verdict = on_sanity(replace(found(0.9, 0.1), outdated=True))
    assert (verdict.good, verdict.text, verdict.number) == (None, "sanity not measured", "")
    assert verdict.detail == "It was measured on other weights; run lesionlens sanity on this model again."


@pytest.mark.parametrize(
    ("ratio", "good", "text"),
    [
        (0.49, True, "on the lesion"),
        (0.5, False, "partly off the lesion"),
        (1.0, False, "off the lesion"),
        (float("inf"), False, "off the lesion"),
        (float("nan"), None, "location not known"),
    ],
)
def test_a_map_lies_on_the_lesion_where_a_place_in_it_counts_twice(ratio: float, good: bool, text: str) -> None:
    verdict = on_localisation({"background_to_lesion": ratio, "inside_mask": 0.6, "lesion_share": 0.2})
    assert (verdict.good, verdict.text) == (good, text)


def test_the_ratio_of_a_map_wholly_off_the_lesion_is_written_as_what_it_is() -> None:
    detail = on_localisation({"background_to_lesion": float("inf"), "inside_mask": 0.0, "lesion_share": 0.2}).detail
    assert detail == "0 % of what speaks for it is in the lesion, which is 20 % of the image; background to lesion ∞."


def test_all_four_questions_are_answered() -> None:
    measures = {**areas(0.2, 0.6), "background_to_lesion": 0.2, "inside_mask": 0.6, "lesion_share": 0.2}
    found = verdicts("lime", measures, CONTROLS, None, contrast=False)
    assert [verdict.question for verdict in found] == ["controls", "stability", "sanity", "localisation"]

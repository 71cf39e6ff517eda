import numpy as np
import pytest

from analysis.faithfulness import (
    BASELINES,
    EVALUATIONS,
    SHARES,
    STEPS,
    Curves,
    area,
    areas,
    contrast_of,
    mean_colour,
    perturbation_curves,
)
from explain.attribution import Target
from explain.baseline import blurred
from tests.explain.linear import CLASSES, QUADRANTS, SIZE, QuadrantPredictor, noise

MEL = CLASSES.index("mel")


def quadrant_map(code: str) -> np.ndarray:
    values = np.zeros((SIZE, SIZE), np.float32)
    values[QUADRANTS[code]] = 1
    return values


def bright_quadrant() -> np.ndarray:
    """White where mel looks, black elsewhere: the mean colour is 64."""
    return np.repeat((255 * quadrant_map("mel"))[..., np.newaxis], 3, axis=2).astype(np.uint8)


def test_deleting_what_counts_lowers_the_logit_until_it_is_gone() -> None:
    curves = perturbation_curves(quadrant_map("mel"), bright_quadrant(), QuadrantPredictor())
    mean, hidden = 64 / 255, np.rint(SHARES * SIZE**2) / SIZE**2
    np.testing.assert_allclose(
        curves.deletion["mean_colour"][:, MEL], 1 - (1 - mean) * np.minimum(4 * hidden, 1), atol=1e-6
    )


def test_inserting_what_counts_restores_the_logit_at_once() -> None:
    image = noise()
    predictor = QuadrantPredictor()
    curves = perturbation_curves(quadrant_map("mel"), image, predictor)
    whole, blank = predictor.logits(np.stack([image, blurred(image)]))
    np.testing.assert_allclose(curves.insertion["blur"][0], blank)
    np.testing.assert_allclose(curves.insertion["blur"][STEPS // 4 :, MEL], whole[MEL])
    np.testing.assert_allclose(curves.insertion["blur"][-1], whole)
    np.testing.assert_allclose(curves.whole, whole)


def test_each_baseline_is_where_deletion_ends_and_insertion_starts() -> None:
    image, predictor = bright_quadrant(), QuadrantPredictor()
    curves = perturbation_curves(quadrant_map("mel"), image, predictor)
    blank = dict(zip(BASELINES, predictor.logits(np.stack([mean_colour(image), blurred(image)])), strict=True))
    assert curves.deletion.keys() == curves.insertion.keys() == BASELINES.keys()
    for baseline in BASELINES:
        np.testing.assert_allclose(curves.deletion[baseline][-1], blank[baseline], atol=1e-6)
        np.testing.assert_allclose(curves.insertion[baseline][0], blank[baseline], atol=1e-6)
        np.testing.assert_allclose(curves.insertion[baseline][-1], curves.whole)
    # Shown first on the mean colour, 64, or hidden first under it: the two are each other's mirror image here.
    hidden, shown = curves.deletion["mean_colour"][:, MEL], curves.insertion["mean_colour"][:, MEL]
    np.testing.assert_allclose(hidden + shown, 1 + 64 / 255, atol=1e-6)


def test_equal_values_are_taken_in_reading_order() -> None:
    curves = perturbation_curves(np.zeros((SIZE, SIZE), np.float32), bright_quadrant(), QuadrantPredictor())
    half = STEPS // 2
    assert curves.deletion["mean_colour"][half, MEL] == 1  # the upper half is gone, mel looks at the lower one
    assert curves.deletion["mean_colour"][half, CLASSES.index("akiec")] == pytest.approx(64 / 255)
    assert curves.deletion["mean_colour"][-1, MEL] == pytest.approx(64 / 255)


def test_the_largest_value_goes_first_and_the_most_negative_last() -> None:
    values = quadrant_map("nv") - quadrant_map("mel")
    curves = perturbation_curves(values, bright_quadrant(), QuadrantPredictor())
    assert curves.deletion["mean_colour"][3 * STEPS // 4, MEL] == 1
    assert curves.deletion["mean_colour"][3 * STEPS // 4 + 1, MEL] < 1


def test_a_map_costs_95_evaluations_in_batches_that_can_be_waited_for_or_ended() -> None:
    predictor = QuadrantPredictor()
    waited = []
    perturbation_curves(quadrant_map("mel"), noise(), predictor, check=lambda: waited.append(predictor.images))
    assert predictor.images == EVALUATIONS == 95
    assert predictor.largest_batch <= 8
    assert waited == [0, 1, 9, 17, 25, 33, 41, 48, 56, 64, 72, 80, 88]

    def end() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        perturbation_curves(quadrant_map("mel"), noise(), predictor, check=end)
    assert predictor.images == EVALUATIONS


def test_an_area_counts_from_the_baseline_in_shares_of_the_range() -> None:
    straight = np.linspace(5, 1, STEPS + 1)
    assert area(straight, whole=5, baseline=1) == pytest.approx(1 / 2)
    assert area(np.full(STEPS + 1, 5.0), whole=5, baseline=1) == pytest.approx(1)
    at_once = np.array([5.0] + STEPS * [1.0])
    assert area(at_once, whole=5, baseline=1) == pytest.approx(1 / (2 * STEPS))


def test_an_image_that_speaks_against_the_target_turns_no_order_round() -> None:
    falls, stays = np.linspace(-2, -6, STEPS + 1), np.full(STEPS + 1, -2.0)
    assert area(falls, whole=-2, baseline=2) < area(stays, whole=-2, baseline=2) == pytest.approx(-1)


def test_a_small_range_counts_as_one_logit() -> None:
    assert area(np.full(STEPS + 1, 0.1), whole=0.1, baseline=0.0) == pytest.approx(0.1)


def test_areas_are_of_the_target_s_logit_and_of_the_contrast() -> None:
    classes = ("mel", "nv", "bcc")
    logits = np.linspace([3.0, 1.0, 2.0], [0.0, 0.0, 0.0], STEPS + 1).astype(np.float32)
    late = np.array([[0.0, 0.0, 0.0]] * STEPS + [[3.0, 1.0, 2.0]], np.float32)
    curves = Curves({"mean_colour": logits, "blur": late[::-1]}, {"mean_colour": logits[::-1], "blur": late})
    found = areas(curves, Target("mel", "nv"), classes)
    plain = {
        "deletion_area": 1 / 2,
        "insertion_area": 1 / (2 * STEPS),
        "deletion_area_blur": 1 / (2 * STEPS),
        "insertion_area_mean_colour": 1 / 2,
    }
    assert found == pytest.approx({**plain, **{f"{name}_contrast": value for name, value in plain.items()}})


def test_without_a_contrast_it_is_to_the_other_class_with_the_largest_logit() -> None:
    whole = np.array([[3.0, 1.0, 2.0]], np.float32)
    curves = Curves({"blur": whole}, {"blur": whole})
    classes = ("mel", "nv", "bcc")
    assert contrast_of(curves, Target("mel"), classes) == Target("mel", "bcc")
    assert contrast_of(curves, Target("nv"), classes) == Target("nv", "mel")
    assert contrast_of(curves, Target("mel", "nv"), classes) == Target("mel", "nv")

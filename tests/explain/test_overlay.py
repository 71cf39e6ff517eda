from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from explain.attribution import Target
from explain.overlay import (
    NEUTRAL,
    attribution_rgb,
    attribution_rgba,
    colour_bar,
    display_limit,
    enlarged,
    overlay_image,
)
from model.classes import BY_CODE
from tests.explain.attributions import attribution
from tests.explain.linear import noise

FOUR = [[2.0, -2.0], [1.0, 0.0]]


def rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour[1:]))


def test_a_contrasts_colours_are_those_of_its_classes_and_opacity_is_strength() -> None:
    rgba = attribution_rgba(attribution(FOUR), 2, 2)
    assert rgba[0, 0].tolist() == [*rgb(BY_CODE["mel"].colour), 255]
    assert rgba[0, 1].tolist() == [*rgb(BY_CODE["nv"].colour), 255]
    assert rgba[1, 0, :3].tolist() == rgb(BY_CODE["mel"].colour)
    assert rgba[..., 3].ravel().tolist() == pytest.approx([255, 255, 128, 0], abs=2)


@pytest.mark.parametrize("code", BY_CODE)
def test_what_speaks_against_a_class_has_no_classs_colour(code: str) -> None:
    rgba = attribution_rgba(attribution(FOUR, target=Target(code)), 2, 2)
    assert rgba[0, 0, :3].tolist() == rgb(BY_CODE[code].colour)
    assert rgba[0, 1, :3].tolist() not in [rgb(diagnosis.colour) for diagnosis in BY_CODE.values()]


def test_zero_leaves_the_image_as_it_is() -> None:
    image = noise()
    assert_array_equal(overlay_image(image, attribution(np.zeros((5, 5), np.float32))), image)
    assert_array_equal(overlay_image(image, attribution(FOUR))[16:, 16:], image[16:, 16:])


def test_opacity_is_that_of_the_strongest_place() -> None:
    image = noise()
    assert_array_equal(overlay_image(image, attribution(FOUR), opacity=0), image)
    assert overlay_image(image, attribution(FOUR), opacity=1)[0, 0].tolist() == rgb(BY_CODE["mel"].colour)
    half = overlay_image(image, attribution(FOUR), opacity=0.5)[0, 0]
    assert_allclose(half, (image[0, 0].astype(float) + rgb(BY_CODE["mel"].colour)) / 2, atol=1)


def test_drawing_changes_no_number_and_scale_changes_no_drawing() -> None:
    one = attribution(np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32), "gradcam")
    one.values.flags.writeable = False
    thousand = replace(one, values=1000 * one.values)
    assert_array_equal(attribution_rgba(one, 40, 60), attribution_rgba(thousand, 40, 60))
    assert display_limit(thousand) == pytest.approx(1000 * display_limit(one))


@pytest.mark.parametrize("method", ["shap", "lime"])
def test_regions_keep_sharp_edges(method: str) -> None:
    alpha = attribution_rgba(attribution(FOUR, method), 30, 50)[..., 3]
    assert len(np.unique(alpha)) == 3
    assert_array_equal(alpha[:, :25], np.repeat(alpha[:, :1], 25, axis=1))


def test_a_field_is_drawn_smoothly() -> None:
    alpha = attribution_rgba(attribution([[0.0, 1.0]], "gradcam"), 1, 100)[0, :, 3].astype(int)
    assert alpha[0] == 0
    assert alpha[-1] == 255
    assert np.abs(np.diff(alpha)).max() < 20


def test_a_speck_does_not_pale_the_rest() -> None:
    values = np.ones((100, 100), np.float32)
    values[0, 0] = 1000
    assert display_limit(attribution(values)) == 1


def test_the_colour_bar_says_what_the_colours_mean() -> None:
    bar = colour_bar(attribution(FOUR))
    assert bar.colours[0] == BY_CODE["nv"].colour
    assert bar.colours[-1] == BY_CODE["mel"].colour
    assert (bar.negative, bar.positive, bar.unit) == ("for nv", "for mel", "logit per region")
    assert bar.limit == pytest.approx(2, abs=0.02)
    assert colour_bar(attribution(FOUR, target=Target("bcc"))).negative == "against bcc"


def test_a_control_is_drawn_from_nothing_to_a_colour_of_no_class() -> None:
    bar = colour_bar(attribution([[0.0, 2.0]], "gaussian"))
    assert (bar.signed, bar.limit, bar.marks[0]) == (False, pytest.approx(2, abs=0.02), "0")
    assert bar.colours[0] == NEUTRAL
    assert bar.colours[-1] not in {diagnosis.colour for diagnosis in BY_CODE.values()}
    rgba = attribution_rgba(attribution([[0.0, 2.0]], "gaussian"), 1, 2)
    assert rgba[0, 1].tolist() == [*rgb(bar.colours[-1]), 255]
    assert rgba[0, 0, 3] == 0


def test_a_map_of_single_pixels_is_drawn_under_a_blur_that_changes_no_number() -> None:
    noisy = attribution(np.random.default_rng(0).normal(size=(192, 192)).astype(np.float32), "gradient")
    noisy.values.flags.writeable = False
    as_it_is = replace(noisy, method="lime")
    blurred, sharp = (attribution_rgba(one, 192, 192)[..., 3].astype(int) for one in (noisy, as_it_is))
    assert np.abs(np.diff(blurred)).mean() < 0.5 * np.abs(np.diff(sharp)).mean()
    assert display_limit(noisy) < display_limit(as_it_is)
    assert_array_equal(enlarged(noisy, 192, 192), noisy.values)


@pytest.mark.parametrize("target", [Target("mel", "nv"), Target("df"), Target("vasc", "akiec"), Target("unheard-of")])
def test_colours_are_perceptually_even_around_zero(target: Target) -> None:
    from skimage.color import rgb2lab

    colours = np.array([rgb(colour) for colour in colour_bar(attribution(FOUR, target=target)).colours])
    lab = rgb2lab(colours[np.newaxis] / 255)[0]
    middle = len(lab) // 2
    for arm in (lab[: middle + 1], lab[middle:]):
        steps = np.linalg.norm(np.diff(arm[::8], axis=0), axis=1)
        assert_allclose(steps, steps.mean(), rtol=0.1)
    assert lab[:, 0].argmax() == pytest.approx(middle, abs=2)


def test_the_map_alone_has_the_colours_of_its_bar() -> None:
    bar = colour_bar(attribution(FOUR))
    picture = attribution_rgb(attribution(FOUR), 2, 2)
    assert picture[0, 0].tolist() == rgb(bar.colours[-1])
    assert picture[0, 1].tolist() == rgb(bar.colours[0])
    assert picture[1, 1].tolist() == rgb(bar.colours[len(bar.colours) // 2])


def test_classes_of_a_third_partys_model_have_two_colours_too() -> None:
    rgba = attribution_rgba(attribution(FOUR, target=Target("wart", "mole")), 2, 2)
    assert rgba[0, 0, :3].tolist() != rgba[0, 1, :3].tolist()

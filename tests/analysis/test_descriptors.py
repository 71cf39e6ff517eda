"""Image quality: each detector on a drawing that has what it looks for, on one that has not, and against the eye."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.measure import label, regionprops_table

from analysis.descriptors import DESCRIPTORS, PRESENT, image_quality
from analysis.descriptors.checked import CHECKED, checked_images, detections
from analysis.descriptors.thin_structures import thin_structures
from model.images import decode

SKIN, LESION, BROWN, BLACK, VIOLET, GREEN = "#E8BFB0", "#6B3A2A", "#4A3020", "#000000", "#4B2FA0", "#2FA05A"


def drawing() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Skin with a lesion in the middle, 300 × 225."""
    picture = Image.new("RGB", (300, 225), SKIN)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((110, 80, 190, 150), LESION)
    return picture, draw


def quality(picture: Image.Image) -> dict[str, float]:
    return image_quality(np.asarray(picture))


def found(picture: Image.Image) -> set[str]:
    return {name for name, value in quality(picture).items() if value >= PRESENT[name]}


def test_skin_and_lesion_have_nothing_to_be_found() -> None:
    assert found(drawing()[0]) == set()


def test_black_corners_are_their_share_of_the_image() -> None:
    picture, draw = drawing()
    draw.rectangle((0, 0, 29, 22), BLACK)
    draw.rectangle((100, 100, 129, 122), BLACK)  # a black lesion is no corner
    assert quality(picture)["dark_corners"] == pytest.approx(30 * 23 / (300 * 225))
    assert found(picture) == {"dark_corners"}


def test_hairs() -> None:
    picture, draw = drawing()
    draw.line((10, 10, 280, 60), BROWN, 2)
    draw.line((20, 200, 250, 160), BROWN, 2)
    assert found(picture) == {"hair"}


@pytest.mark.parametrize("turned", [0, 90, 20])
def test_ruler_marks_are_counted(turned: int) -> None:
    picture, draw = drawing()
    for number in range(9):
        draw.line((60 + 8 * number, 30, 60 + 8 * number, 38), BROWN, 1)
    picture = picture.rotate(turned, Image.Resampling.BILINEAR, fillcolor=SKIN)
    assert quality(picture)["ruler"] == 9
    assert found(picture) == {"ruler"}


def test_specks_in_no_order_are_no_ruler() -> None:
    picture, draw = drawing()
    for x, y in np.random.default_rng(0).integers(10, 200, (40, 2)).tolist():
        draw.line((x, y, x, y + 8), BROWN, 1)
    assert "ruler" not in found(picture)


def test_ink() -> None:
    picture, draw = drawing()
    draw.line((20, 20, 80, 60), VIOLET, 5)
    draw.line((220, 180, 280, 200), VIOLET, 5)
    assert "ink" in found(picture)


def test_a_blue_lesion_is_no_ink() -> None:
    picture, draw = drawing()
    draw.ellipse((100, 70, 200, 160), VIOLET)
    assert "ink" not in found(picture)


def test_colour_patches_are_their_share_of_the_image() -> None:
    picture, draw = drawing()
    draw.rectangle((0, 0, 39, 29), GREEN)
    assert quality(picture)["colour_patches"] == pytest.approx(40 * 30 / (300 * 225), rel=0.02)


def test_a_larger_copy_looks_alike() -> None:
    picture, draw = drawing()
    draw.line((10, 10, 280, 60), BROWN, 2)
    draw.line((20, 200, 250, 160), BROWN, 2)
    large = picture.resize((1200, 900), Image.Resampling.BICUBIC)
    assert quality(large)["hair"] == pytest.approx(quality(picture)["hair"], rel=0.4)
    assert found(large) == {"hair"}


def test_thin_structures_have_the_shapes_of_scikit_image() -> None:
    mask: NDArray[np.bool_] = np.random.default_rng(0).random((60, 80)) < 0.3
    ours = thin_structures(mask)
    names = ("area", "axis_major_length", "orientation", "centroid")
    theirs = regionprops_table(label(mask, connectivity=2), properties=names)
    np.testing.assert_array_equal(ours.area, theirs["area"])
    # Pixels are squares here and points there: 16 times a twelfth.
    np.testing.assert_allclose(ours.length**2, theirs["axis_major_length"] ** 2 + 16 / 12)
    np.testing.assert_allclose(ours.y, theirs["centroid-0"])
    slender = ours.length > 1.5 * ours.breadth
    turned = (ours.orientation - theirs["orientation"])[slender]
    np.testing.assert_allclose(np.sin(turned), 0, atol=1e-9)


def test_the_checked_images_are_a_hundred_with_an_answer_to_each_question() -> None:
    seen = checked_images()
    assert len(seen) == 100
    assert seen.index.is_unique
    assert set(seen.columns) == set(DESCRIPTORS)


def test_finds_are_right_as_often_as_documented(ham10000_cases: pd.DataFrame) -> None:
    paths = ham10000_cases.set_index("image_id")["path"]
    images = {name: decode(Path(paths[name])) for name in checked_images().index}
    assert {one.name: one for one in detections(images)} == CHECKED

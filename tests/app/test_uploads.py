import io

import numpy as np
import pytest
from PIL import Image

from app.uploads import data_url, for_browser, pixels, png, shrink
from model.images import ImageError
from model.phantoms import phantom


def test_an_image_goes_to_the_browser_and_comes_back_unchanged() -> None:
    image = np.random.default_rng(0).integers(0, 256, (45, 60, 3), np.uint8)
    assert np.array_equal(pixels(data_url(image)), image)


def test_a_large_image_is_shown_small_and_a_small_one_without_loss() -> None:
    small, large = (phantom(0, height=height, width=2 * height).image for height in (400, 600))
    shown, url = for_browser(small)
    assert shown is small
    assert np.array_equal(pixels(url), small)
    shown, url = for_browser(large)
    assert shown.shape == (400, 800, 3)
    assert np.abs(pixels(url).astype(int) - shown).mean() < 1  # JPEG
    assert np.abs(shown.astype(int) - shrink(large)).mean() < 1


def test_what_leaves_has_no_metadata() -> None:
    with Image.open(io.BytesIO(png(np.zeros((40, 40, 3), np.uint8)))) as image:
        assert image.info == {}
        assert not image.getexif()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://example.org/a.png", "data:image/webp;base64,", "data:image/webp;base64,%%%%"]
)
def test_a_browser_that_sends_no_image_is_refused(url: str) -> None:
    with pytest.raises(ImageError):
        pixels(url)


def test_a_large_image_is_shrunk_in_proportion_and_a_small_one_left_alone() -> None:
    large, small = np.zeros((3000, 1500, 3), np.uint8), np.zeros((450, 600, 3), np.uint8)
    assert shrink(large).shape == (800, 400, 3)
    assert shrink(small) is small

import numpy as np
import pytest
from skimage.color import rgb2lab

from model.phantoms import SAMPLES, Recipe, phantom, sample


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_labelled_picture_with_its_mask_and_always_the_same(name: str) -> None:
    first, second = sample(name), sample(name)
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.mask, second.mask)
    assert first.image.shape == (450, 600, 3)
    assert first.image.dtype == np.uint8
    assert first.mask.shape == (450, 600)
    assert first.mask.dtype == np.bool_
    assert 0.03 < first.mask.mean() < 0.4
    assert "synthetic" in first.name.lower()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_mask_is_where_the_colour_is(name: str) -> None:
    made = sample(name)
    lab = rgb2lab(made.image)
    ring = np.zeros_like(made.mask)
    ring[60:-60, 100:-100] = True
    skin = np.median(lab[ring & ~made.mask], axis=0)
    lesion = np.median(lab[made.mask], axis=0)
    assert lesion[0] < skin[0] - 10
    assert np.linalg.norm(lesion - skin) > 15


def test_the_samples_differ() -> None:
    colours = [np.median(sample(name).image[sample(name).mask], axis=0) for name in SAMPLES]
    assert len(SAMPLES) >= 6
    assert len({sample(name).name for name in SAMPLES}) == len(SAMPLES)
    for index, colour in enumerate(colours):
        for other in colours[index + 1 :]:
            assert np.abs(colour - other).max() > 5


def test_another_seed_gives_another_lesion_and_any_size_is_possible() -> None:
    first, second = phantom(1, height=96, width=128), phantom(2, height=96, width=128)
    assert first.image.shape == second.image.shape == (96, 128, 3)
    assert not np.array_equal(first.mask, second.mask)


def test_hair_ruler_and_vignette_are_drawn_over_the_same_lesion() -> None:
    bare = phantom(5, Recipe("Synthetic", ""))
    vignette = phantom(5, Recipe("Synthetic", "", vignette=True))
    ruler = phantom(5, Recipe("Synthetic", "", ruler=True))
    hair = phantom(5, Recipe("Synthetic", "", hairs=12))
    for made in (vignette, ruler, hair):
        assert np.array_equal(made.mask, bare.mask)
    assert vignette.image[:10, :10].max() < 20
    assert bare.image[:10, :10].min() > 60
    assert (ruler.image[-8:].mean(-1) < 80).mean() > 0.03
    darker = bare.image.mean(-1) - hair.image.mean(-1) > 50
    assert 0.003 < darker.mean() < 0.1


def test_an_unknown_sample_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        sample("unknown")

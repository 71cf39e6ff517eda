import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from explain import explain
from explain.attribution import Target
from explain.export import npz_bytes, png_bytes, save_npz
from explain.overlay import overlay_image
from tests.explain.attributions import attribution
from tests.explain.linear import QuadrantPredictor, noise

VALUES = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)


def test_npz_holds_the_raw_map_and_all_that_is_known_of_it(tmp_path: Path) -> None:
    saved = attribution(VALUES)
    save_npz(tmp_path / "map.npz", saved)
    with np.load(tmp_path / "map.npz", allow_pickle=False) as arrays:
        assert_array_equal(arrays["values"], VALUES)
        assert arrays["values"].dtype == np.float32
        metadata = json.loads(str(arrays["metadata"]))
    assert metadata == {
        "method": "lime",
        "target": {"code": "mel", "against": "nv"},
        "parameters": {"segments": 46, "local_fidelity": 0.58, "stability": 0.97},
        "seed": 3,
        "evaluations": 1000,
        "seconds": 5.25,
        "converged": True,
    }
    assert [path.name for path in tmp_path.iterdir()] == ["map.npz"]


@pytest.mark.parametrize("method", ["shap", "lime"])
def test_what_a_method_found_can_be_saved(method: str) -> None:
    found = explain(noise(), QuadrantPredictor(), method, "mel")
    with np.load(BytesIO(npz_bytes(found)), allow_pickle=False) as arrays:
        assert json.loads(str(arrays["metadata"]))["parameters"] == found.parameters


def test_png_shows_the_overlay_under_a_title_and_over_a_colour_bar() -> None:
    image = np.random.default_rng(1).integers(0, 255, (450, 600, 3), np.uint8)
    drawn = attribution(VALUES)
    page = np.asarray(Image.open(BytesIO(png_bytes(image, drawn, opacity=0.6))))
    assert_array_equal(page[60:510, 16:616], overlay_image(image, drawn, 0.6))
    assert (page[:60] < 128).any(), "no title"
    bar = page[524 + 5, 16:616]
    assert bar[0].tolist() == [0x00, 0x72, 0xB2]
    assert bar[-1].tolist() == [0xD5, 0x5E, 0x00]
    assert (page[540:] < 128).any(), "no numbers"


@pytest.mark.parametrize(("shape", "width"), [((32, 32, 3), 600), ((300, 3000, 3), 1600), ((900, 800, 3), 800)])
def test_png_has_a_legible_size(shape: tuple[int, int, int], width: int) -> None:
    with Image.open(BytesIO(png_bytes(np.full(shape, 200, np.uint8), attribution(VALUES)))) as page:
        assert width < page.width < 1.1 * width
        assert page.height > width * shape[0] / shape[1]


@pytest.mark.parametrize("target", [Target("akiec", "bkl"), Target("a class of a third party with a long name " * 3)])
def test_a_long_title_stays_on_the_page(target: Target) -> None:
    page = np.asarray(Image.open(BytesIO(png_bytes(noise(), attribution(VALUES, target=target)))))
    assert (page[:58, -16:] == 255).all()
    assert (page[:58, -200:-16] < 200).any()

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.attention import attention, attention_ratios

CLASSES = ("akiec", "nv")
LEFT = np.array([[1, 0], [1, 0]], np.float32)


@pytest.fixture
def tables(tmp_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three cases with maps of two classes; the lesion of each is the left half, and the third has no mask."""
    Image.fromarray(np.array([[255, 0], [255, 0]], np.uint8)).save(tmp_path / "mask.png")
    maps = {"akiec": LEFT + 0.5, "nv": LEFT - 2 * (1 - LEFT)}
    stored = np.concatenate([maps[code].ravel() for code in CLASSES])
    table = pd.DataFrame(
        {
            "image_id": ["a", "b", "c"],
            "lesion_id": ["a", "b", "c"],
            "probability_akiec": [0.9, 0.2, 0.9],
            "probability_nv": [0.1, 0.8, 0.1],
            "gradcam": [stored] * 3,
        }
    )
    mask = str(tmp_path / "mask.png")
    return table, pd.DataFrame({"image_id": ["a", "b", "c"], "mask_path": [mask, mask, None]})


def test_the_map_of_the_most_probable_class_is_held_against_the_mask(
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    ratios = attention_ratios(*tables, CLASSES)
    assert list(ratios["image_id"]) == ["a", "b"]
    assert list(ratios["said"]) == ["akiec", "nv"]
    np.testing.assert_allclose(ratios["ratio"], [0.5 / 1.5, 0])


def test_means_are_of_what_the_network_says_and_undefined_ratios_are_left_out() -> None:
    said = ["akiec", "akiec", "nv", "mel", "mel"]
    ratios = pd.DataFrame({"lesion_id": list("abcde"), "said": said, "ratio": [0.2, 0.4, 0.1, 0.3, np.nan]})
    found = attention(ratios)
    assert found["akiec"].value == pytest.approx(0.3)
    assert found["others"].value == pytest.approx(0.2)
    assert found["akiec"].low < 0.3 < found["akiec"].high


def test_of_nothing_there_is_no_mean() -> None:
    ratios = pd.DataFrame({"lesion_id": ["a"], "said": ["nv"], "ratio": [0.1]})
    assert np.isnan(attention(ratios)["akiec"].value)

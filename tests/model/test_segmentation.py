from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.images import decode
from model.masks import dice, read_mask
from model.phantoms import SAMPLES, sample
from model.segmentation import segment


@pytest.mark.parametrize("name", SAMPLES)
def test_the_lesion_of_a_phantom_is_found(name: str) -> None:
    phantom = sample(name)
    estimated = segment(phantom.image)
    assert estimated.shape == phantom.mask.shape
    assert dice(estimated, phantom.mask) > 0.7


def test_dark_corners_are_not_lesion() -> None:
    phantom = sample("ruler")
    estimated = segment(phantom.image)
    assert not estimated[[0, 0, -1, -1], [0, -1, 0, -1]].any()


def test_where_nothing_stands_out_it_is_the_middle() -> None:
    estimated = segment(np.full((60, 80, 3), 190, np.uint8))
    assert estimated[30, 40]
    assert not estimated[[0, 0, -1, -1], [0, -1, 0, -1]].any()


def test_real_lesions_are_found_as_people_drew_them(ham10000_cases: pd.DataFrame) -> None:
    few = ham10000_cases.iloc[::500]
    overlaps = [
        dice(segment(decode(Path(path))), read_mask(mask_path))
        for path, mask_path in zip(few["path"], few["mask_path"], strict=True)
    ]
    assert np.median(overlaps) > 0.75

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from model.cases import DataError
from model.images import decode
from model.masks import dice, prepare_mask, read_mask


def test_what_is_lighter_than_mid_grey_is_lesion(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(np.array([[0, 127], [128, 255]], np.uint8)).save(path)
    np.testing.assert_array_equal(read_mask(path), [[False, False], [True, True]])


def test_one_bit_masks_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(np.array([[True, False]])).save(path)
    np.testing.assert_array_equal(read_mask(path), [[True, False]])


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_what_is_no_mask_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mask.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as a mask"):
        read_mask(path)


def test_a_mask_without_a_lesion_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)
    with pytest.raises(DataError, match="marks nothing as lesion"):
        read_mask(path)


def test_prepared_it_lies_over_its_prepared_image() -> None:
    mask = np.zeros((30, 40), bool)
    mask[:15, 20:] = True
    expected = np.zeros((8, 8), bool)
    expected[:4, 4:] = True
    np.testing.assert_array_equal(prepare_mask(mask, 8), expected)


def test_dice_is_twice_the_common_area_over_both() -> None:
    one, other = np.array([True, True, False]), np.array([False, True, True])
    assert dice(one, other) == 1 / 2
    assert dice(one, one) == 1


def test_the_masks_of_ham10000_have_their_images_shape(ham10000_cases: pd.DataFrame) -> None:
    for case in ham10000_cases.iloc[::2500].itertuples():
        assert read_mask(str(case.mask_path)).shape == decode(Path(str(case.path))).shape[:2]

"""Lesion masks: which pixels of an image show the lesion, drawn by people, as HAM10000 comes with them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from model.cases import DataError


def read_mask(path: Path | str) -> NDArray[np.bool_]:
    """Read a mask from an image file: bool (height, width), True in the lesion, which is what is lighter than mid-grey.

    Raises DataError when the file cannot be read or marks nothing as lesion.
    """
    try:
        with Image.open(path, formats=("PNG", "BMP", "TIFF")) as image:
            mask = np.asarray(image.convert("L")) > 127
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read as a mask; it needs to be a PNG, BMP or TIFF image: {error}") from error
    if not mask.any():
        raise DataError(f"{path} marks nothing as lesion; a mask is white in the lesion and black elsewhere.")
    return mask


def prepare_mask(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Bring a mask, bool (height, width), to (size, size), so that it lies over its prepared image.

    Like the image it covers the whole field of view, whatever its own size, and loses its aspect ratio.
    """
    resized = Image.fromarray(mask.astype(np.uint8) * 255).resize((size, size), Image.Resampling.NEAREST)
    return np.asarray(resized) > 127


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """The overlap of two masks of the same shape (Dice 1945): twice the common area over the sum of both, in [0, 1]."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))

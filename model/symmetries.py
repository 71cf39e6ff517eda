"""The eight symmetries of the square: a dermatoscopic image shows the same lesion however the instrument was turned."""

import numpy as np
from numpy.typing import NDArray


def symmetries(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image itself, turned by each quarter, and the mirror images of the four; uint8 (side, side, 3) → (8, …)."""
    turned = [np.rot90(image, quarters) for quarters in range(4)]
    return np.stack([*turned, *(np.fliplr(view) for view in turned)])


def undone(values: NDArray[np.float32], view: int) -> NDArray[np.float32]:
    """A map (side, side) of view `view` of `symmetries`, turned and mirrored back to lie over the image itself."""
    upright = values if view < 4 else np.fliplr(values)
    return np.rot90(upright, -(view % 4))

"""A simple segmentation of the lesion, for images that nobody has drawn a mask for: to be marked as an estimate.

How well it does on the images of HAM10000 is measured by `lesionlens localisation` and kept in
model/predictions/localisation.json.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation, binary_fill_holes, gaussian_filter, label

from model.dark_corners import joined_to_corner
from model.images import prepare

# Lengths in pixels of the working size; chosen, as the channels were, on 168 images of HAM10000, 24 a class.
SIZE = 160
SMOOTHING = 3.0
OPENING_RADIUS = 3
GROWTH = 3
DARKEST_SKIN = 45
CENTRE_WIDTH, NEAR_CENTRE_WIDTH = 1.0, 0.5


def segment(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Estimate which pixels of an RGB image, uint8 (height, width, 3), show the lesion: bool (height, width).

    Pigment and blood both absorb green and blue light, so that a lesion is where these channels are dark. The smoothed
    darkness, weighted towards the centre where dermatoscopists place lesions, is cut by Otsu's threshold (1979),
    cleaned of specks and hairs by an opening; of the pieces the one with most area near the centre is the lesion, its
    holes are filled and its border, which the threshold puts too far inside, is moved out a little. The dark corners
    of a round field of view are left out. Where nothing stands out it is the middle of the image.
    """
    from skimage import filters, morphology

    small = prepare(image, SIZE)
    field = ~joined_to_corner(small.max(axis=2) < DARKEST_SKIN)
    darkness = gaussian_filter(255 - small[..., 1:].mean(axis=2), SMOOTHING)
    contrast = (darkness - np.percentile(darkness[field], 5)) * _centred(CENTRE_WIDTH)
    # scikit-image has types in part only.
    otsu: Callable[..., float] = filters.threshold_otsu
    disk: Callable[..., NDArray[np.uint8]] = morphology.disk
    pieces = morphology.opening((contrast > otsu(contrast[field])) & field, disk(OPENING_RADIUS))
    lesion = binary_dilation(binary_fill_holes(_most_central(pieces)), iterations=GROWTH)
    height, width = image.shape[:2]
    enlarged = Image.fromarray(lesion.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(enlarged) > 0


def _most_central(pieces: NDArray[np.bool_]) -> NDArray[np.bool_]:
    numbered, count = label(pieces)
    near_centre = _centred(NEAR_CENTRE_WIDTH)
    if count == 0:
        return near_centre > 0.5
    areas = np.bincount(numbered.ravel(), weights=near_centre.ravel())
    chosen: NDArray[np.bool_] = numbered == 1 + areas[1:].argmax()
    return chosen


def _centred(width: float) -> NDArray[np.float64]:
    """A Gaussian around the centre, (SIZE, SIZE), 1 there; `width` is its standard deviation in half sides."""
    distances = np.linspace(-1, 1, SIZE)
    profile = np.exp(-(distances**2) / (2 * width**2))
    return np.outer(profile, profile)

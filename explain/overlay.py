"""Drawing attributions: signed colours over an image, as strong as the map is, so that the lesion stays visible.

The target's colour speaks for it; against it speaks the other class's colour, or slate where there is no other class.
A control speaks for nothing: it is drawn in a colour of no class. Zero is transparent. How a map is scaled for display
is said by its colour bar and changes no number; nor does the slight blur under which a map of single pixels is drawn.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from explain.attribution import Attribution
from explain.methods import METHODS
from model.classes import diagnosis

OPACITY = 0.75
AGAINST = "#334155"
OF_NO_CLASS = "#5B21B6"
NEUTRAL = "#F8F9FA"
SHADES = 129
BLUR = 0.012  # the standard deviation, in parts of the side, under which a map of single pixels can be read


@dataclass(frozen=True)
class ColourBar:
    """What the colours of a map mean: -limit and limit are the numbers, in `unit`, at which its two ends are reached.

    `colours` are #RRGGBB from -limit to limit in equal, perceptually even steps, the middle one standing for zero;
    `negative` and `positive` say in words what each end speaks for. The bar of a map that is not `signed` goes from 0
    to limit.
    """

    limit: float
    unit: str
    colours: tuple[str, ...]
    negative: str
    positive: str
    signed: bool = True

    @property
    def marks(self) -> tuple[str, str, str]:
        """What stands below the bar at its left end, in its middle and at its right end: a number, a line, words."""
        limit = f"{self.limit:.2g}"
        if self.signed:
            return f"−{limit}\n{self.negative}", f"0\n{self.unit}", f"+{limit}\n{self.positive}"
        return "0", f"{self.limit / 2:.2g}\n{self.unit}", limit


def colour_bar(attribution: Attribution) -> ColourBar:
    """The colour bar that belongs to an attribution's overlay and map."""
    target, method = attribution.target, METHODS[attribution.method]
    shades = tuple("#{:02X}{:02X}{:02X}".format(*shade) for shade in _shades(*_ends(attribution)))
    limit = display_limit(attribution)
    if method.control:
        return ColourBar(limit, method.unit, shades[SHADES // 2 :], "", "", signed=False)
    negative = f"against {target.code}" if target.against is None else f"for {target.against}"
    return ColourBar(limit, method.unit, shades, negative, f"for {target.code}")


def display_limit(attribution: Attribution) -> float:
    """The absolute value that is drawn at full strength: the map's 99.5th percentile, so that no speck pales the rest.

    0 for a map that is zero everywhere.
    """
    strengths = np.abs(_legible(attribution).values)
    return float(np.percentile(strengths, 99.5)) or float(strengths.max())


def attribution_rgba(attribution: Attribution, height: int, width: int) -> NDArray[np.uint8]:
    """The map as a layer to lay over the image, uint8 RGBA (height, width, 4), opacity being the map's strength."""
    positive, negative = (_rgb(colour) for colour in _ends(attribution))
    levels = np.arange(-255, 256)
    shades = np.empty((len(levels), 4), np.uint8)
    shades[:, :3] = np.where(levels[:, np.newaxis] > 0, positive, negative)
    shades[:, 3] = np.abs(levels)
    return _drawn(_strength(attribution, height, width), shades)


def attribution_rgb(attribution: Attribution, height: int, width: int) -> NDArray[np.uint8]:
    """The map alone in the colours of its colour bar, uint8 RGB (height, width, 3)."""
    return _drawn(_strength(attribution, height, width), _shades(*_ends(attribution)))


def overlay_image(image: NDArray[np.uint8], attribution: Attribution, opacity: float = OPACITY) -> NDArray[np.uint8]:
    """Lay the map over its image, uint8 RGB (height, width, 3); `opacity` in [0, 1] is that of the strongest place."""
    rgba = attribution_rgba(attribution, *image.shape[:2])
    alpha = rgba[..., 3:].astype(np.float32) * (opacity / 255)
    return np.rint(image + (rgba[..., :3] - image.astype(np.float32)) * alpha).astype(np.uint8)


def enlarged(attribution: Attribution, height: int, width: int) -> NDArray[np.float32]:
    """The map at the image's size, float32 (height, width): smooth where the method's map is a field, sharp where it
    has regions.

    Bilinear, as bicubic would overshoot and draw evidence against the target around the strongest evidence for it.
    """
    resampling = Image.Resampling.BILINEAR if METHODS[attribution.method].smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(attribution.values).resize((width, height), resampling))


def _strength(attribution: Attribution, height: int, width: int) -> NDArray[np.float32]:
    """The map at the image's size, in [-1, 1]."""
    values = enlarged(_legible(attribution), height, width)
    limit = display_limit(attribution)
    return np.clip(values / limit, -1, 1) if limit > 0 else np.zeros_like(values)


def _drawn(strength: NDArray[np.float32], shades: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A strength in [-1, 1] in `shades`, an odd number of them in rows, of which the middle one stands for zero."""
    middle = len(shades) // 2
    # Several times as fast as `shades[...]`.
    return shades.take(np.rint(middle * strength).astype(np.int16) + middle, axis=0)


def _legible(attribution: Attribution) -> Attribution:
    """The map as it is drawn: under a slight blur where it is one of single pixels."""
    if not METHODS[attribution.method].fine:
        return attribution
    return replace(attribution, values=gaussian_filter(attribution.values, BLUR * max(attribution.values.shape)))


def _ends(attribution: Attribution) -> tuple[str, str]:
    """The colours for and against what the map is of."""
    target = attribution.target
    if METHODS[attribution.method].control:
        return OF_NO_CLASS, AGAINST
    positive = diagnosis(target.code).colour
    negative = AGAINST if target.against is None else diagnosis(target.against).colour
    # Two classes that are none of the seven may share a colour.
    return positive, AGAINST if negative == positive else negative


@lru_cache(maxsize=64)
def _shades(positive: str, negative: str) -> NDArray[np.uint8]:
    """A diverging colour map, uint8 (SHADES, 3): each arm is straight in CIELAB, hence perceptually even."""
    from skimage.color import lab2rgb, rgb2lab

    ends = rgb2lab(np.array([_rgb(colour) for colour in (negative, NEUTRAL, positive)]) / 255)
    steps = np.linspace(-1, 1, SHADES)
    lab = np.stack([np.interp(steps, (-1, 0, 1), ends[:, channel]) for channel in range(3)], axis=-1)
    rgb: NDArray[np.uint8] = np.rint(lab2rgb(lab) * 255).astype(np.uint8)
    return rgb


def _rgb(colour: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8)

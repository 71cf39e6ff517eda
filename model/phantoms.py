"""Synthetic dermatoscopic phantoms: pictures of no patient, for samples and tests without the data set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

Map = NDArray[np.float64]

# Absorption of light by channel (red, green, blue) per unit of density, chosen by eye after the spectra in Jacques 2013
# (doi:10.1088/0031-9155/58/11/R37): melanin absorbs more towards blue, blood green most, and pigment that lies deep
# looks blue-grey because the skin above it scatters the blue back (Tyndall effect).
_MELANIN = np.array([0.55, 1.15, 1.6])
_BLOOD = np.array([0.28, 1.15, 0.8])
_DEEP_PIGMENT = np.array([1.25, 0.95, 0.72])


@dataclass(frozen=True, eq=False)
class Phantom:
    """One synthetic picture: `image` uint8 (height, width, 3) RGB, `mask` bool (height, width), True in the lesion."""

    name: str
    description: str
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """What a phantom looks like. Lengths are shares of the picture's height, densities and strengths start at 0.

    `irregularity` bends the lesion's border and `raggedness` frays it; `edge` is the width over which pigment fades
    out. `patchiness` makes pigment uneven, `network` and `globules` lay its two classic structures over it; `blood`,
    `deep_pigment` and `pallor` (scar-like loss of colour) are further colours; `scale` adds keratin flakes and cysts.
    """

    title: str
    description: str
    skin: tuple[int, int, int] = (228, 172, 158)
    radius: float = 0.27
    irregularity: float = 0.15
    raggedness: float = 0.12
    edge: float = 0.35
    pigment: float = 0.8
    patchiness: float = 0.25
    network: float = 0.0
    globules: float = 0.0
    blood: float = 0.0
    deep_pigment: float = 0.0
    pallor: float = 0.0
    scale: float = 0.0
    hairs: int = 0
    ruler: bool = False
    vignette: bool = False


SAMPLES = {
    "naevus": Recipe(
        "Synthetic naevus-like lesion",
        "Regular border, even brown pigment, a fine network that fades at the edge.",
        pigment=0.8,
        network=0.65,
    ),
    "melanoma": Recipe(
        "Synthetic melanoma-like lesion",
        "Irregular border, several colours, blotches, blue-grey areas and globules.",
        skin=(226, 190, 186),
        radius=0.3,
        irregularity=0.5,
        raggedness=0.17,
        edge=0.22,
        pigment=1.15,
        patchiness=0.9,
        network=0.35,
        globules=0.8,
        blood=0.25,
        deep_pigment=1.1,
    ),
    "hair": Recipe(
        "Synthetic naevus-like lesion under hair",
        "A soft brown lesion that dark hairs cross.",
        skin=(216, 168, 150),
        radius=0.24,
        irregularity=0.25,
        pigment=0.75,
        patchiness=0.45,
        globules=0.5,
        hairs=16,
    ),
    "ruler": Recipe(
        "Synthetic lesion with ruler and vignette",
        "A small dark lesion in the round field of a dermatoscope, with the marks of a ruler.",
        skin=(214, 186, 190),
        radius=0.17,
        irregularity=0.25,
        raggedness=0.2,
        edge=0.25,
        pigment=1.1,
        patchiness=0.5,
        network=0.4,
        deep_pigment=0.25,
        ruler=True,
        vignette=True,
    ),
    "vascular": Recipe(
        "Synthetic vascular-like lesion",
        "Sharply bordered red-purple lagoons, hardly any melanin.",
        skin=(232, 178, 172),
        radius=0.2,
        irregularity=0.2,
        raggedness=0.1,
        edge=0.08,
        pigment=0.05,
        globules=0.25,
        blood=1.5,
        deep_pigment=0.2,
    ),
    "keratosis": Recipe(
        "Synthetic keratosis-like lesion",
        "Sharp moth-eaten border, dull light-brown pigment, pale cysts and flakes.",
        skin=(222, 186, 172),
        radius=0.3,
        irregularity=0.22,
        raggedness=0.2,
        edge=0.14,
        pigment=0.5,
        patchiness=0.6,
        globules=0.35,
        pallor=0.15,
        scale=0.9,
    ),
}
"""Six recipes that differ as much as real lesions do, by name."""


def sample(name: str) -> Phantom:
    """The phantom of a recipe in SAMPLES, always the same picture; raises KeyError for an unknown name."""
    recipe = SAMPLES[name]
    return phantom(list(SAMPLES).index(name), recipe)


def phantom(seed: int, recipe: Recipe = SAMPLES["naevus"], height: int = 450, width: int = 600) -> Phantom:
    """Draw a phantom of `height` × `width` pixels; the same seed, recipe and size give the same picture.

    Light falls on skin and is absorbed by melanin, blood and deep pigment (Beer-Lambert law), so that colours mix as
    they do under a dermatoscope; hair, ruler and vignette come on top.
    """
    rng = np.random.default_rng(seed)
    shape = (height, width)
    inside = _lesion_depth(rng, shape, recipe)
    absorption = _skin_absorption(rng, shape) + _lesion_absorption(rng, inside, recipe)
    light = np.asarray(recipe.skin) / 255 * _illumination(rng, shape)[..., np.newaxis]
    colour = light * np.exp(-absorption)
    colour = _with_scale(rng, colour, inside, recipe)
    colour = _with_hairs(rng, colour, recipe.hairs)
    colour = _with_ruler(colour) if recipe.ruler else colour
    colour = _with_vignette(colour) if recipe.vignette else colour
    colour = gaussian_filter(colour, (0.6, 0.6, 0)) + rng.normal(0, 0.006, colour.shape)
    image = np.clip(colour * 255, 0, 255).astype(np.uint8)
    return Phantom(recipe.title, recipe.description, image, inside > 0)


def _noise(rng: np.random.Generator, shape: tuple[int, int], length: float) -> Map:
    """Smooth noise of mean 0 and standard deviation 1 whose features are about `length` pixels wide."""
    height, width = shape
    grid = rng.normal(size=(max(2, round(height / length)) + 3, max(2, round(width / length)) + 3))
    smooth = Image.fromarray(grid.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    noise = np.asarray(smooth, dtype=np.float64)
    normalised: Map = (noise - noise.mean()) / noise.std()
    return normalised


def _ridges(rng: np.random.Generator, shape: tuple[int, int], length: float) -> Map:
    """A net of lines in [0, 1] whose meshes are about `length` pixels wide: where smooth noise crosses zero."""
    return np.exp(-((_noise(rng, shape, length) / 0.45) ** 2))


def _step(values: Map) -> Map:
    """A smooth step from 0 to 1 over values 0 to 1."""
    clipped = np.clip(values, 0, 1)
    return clipped * clipped * (3 - 2 * clipped)


def _lesion_depth(rng: np.random.Generator, shape: tuple[int, int], recipe: Recipe) -> Map:
    """How deep inside the lesion each pixel lies: 1 at its centre, 0 on its border, negative outside."""
    height, width = shape
    rows, columns = np.mgrid[0:height, 0:width] / height
    rows = rows - 0.5 + rng.uniform(-0.04, 0.04)
    columns = columns - width / height / 2 + rng.uniform(-0.06, 0.06)
    angle = np.arctan2(rows, columns)
    stretch = rng.uniform(0.05, 0.2)
    radius = 1 + stretch * np.cos(2 * (angle - rng.uniform(0, np.pi)))
    for order in range(2, 8):
        strength = recipe.irregularity * rng.uniform(0.5, 1) / order
        radius += strength * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    depth: Map = 1 - np.hypot(rows, columns) / (recipe.radius * radius)
    fringe = np.exp(-((depth / 0.35) ** 2))
    fray = 0.6 * _noise(rng, shape, height / 18) + 0.4 * _noise(rng, shape, height / 45)
    depth += recipe.raggedness * fringe * fray
    return depth


def _skin_absorption(rng: np.random.Generator, shape: tuple[int, int]) -> Map:
    """Uneven blood and melanin of the skin around the lesion, and its fine furrows; (height, width, 3)."""
    height = shape[0]
    blood = 0.03 * _noise(rng, shape, height / 4) + 0.03 * _noise(rng, shape, height / 18)
    melanin = 0.015 * _noise(rng, shape, height / 6) + 0.025 * _noise(rng, shape, height / 35)
    furrows = 0.05 * _ridges(rng, shape, height / 45) + 0.025 * _noise(rng, shape, height / 130)
    absorption: Map = blood[..., np.newaxis] * _BLOOD + (melanin + furrows)[..., np.newaxis] * _MELANIN
    return absorption


def _lesion_absorption(rng: np.random.Generator, inside: Map, recipe: Recipe) -> Map:
    shape, height = inside.shape, inside.shape[0]
    body = _step(inside / recipe.edge)
    patches = 0.7 * _noise(rng, shape, height / 6) + 0.5 * _noise(rng, shape, height / 14)
    melanin = recipe.pigment * np.exp(recipe.patchiness * (patches - 0.4 * recipe.patchiness))
    melanin *= 0.8 + 0.4 * np.clip(inside, 0, 1)
    net = 0.7 * _ridges(rng, shape, height / 32) + 0.3 * _ridges(rng, shape, height / 60)
    melanin += recipe.network * (net - 0.35)
    dots = _step((_noise(rng, shape, height / 55) - 0.9) * 1.5) * _step(_noise(rng, shape, height / 8) + 0.6)
    melanin += 1.2 * recipe.globules * dots
    grain = 1 + 0.12 * _noise(rng, shape, height / 110)
    pale = 1 - recipe.pallor * _step(_noise(rng, shape, height / 7))
    deep = recipe.deep_pigment * _step((_noise(rng, shape, height / 4.5) - 0.1) / 1.6)
    lagoons = recipe.blood * (0.45 + 0.55 * _step(0.5 + 1.5 * _noise(rng, shape, height / 14)))
    halo = 0.12 * _step(1 + inside / 0.5)
    absorption: Map = (body * pale * grain * np.clip(melanin, 0, None))[..., np.newaxis] * _MELANIN
    absorption += (body * deep)[..., np.newaxis] * _DEEP_PIGMENT
    absorption += (body * lagoons * grain + halo)[..., np.newaxis] * _BLOOD
    return absorption


def _illumination(rng: np.random.Generator, shape: tuple[int, int]) -> Map:
    """Brightness that falls off from a spot near the centre, about 1 there."""
    height, width = shape
    rows, columns = np.mgrid[0:height, 0:width] / height
    centre_row, centre_column = 0.5 + rng.uniform(-0.1, 0.1), width / height / 2 + rng.uniform(-0.15, 0.15)
    distance = np.hypot(rows - centre_row, columns - centre_column)
    brightness: Map = 1.08 - 0.28 * distance**2
    return brightness


def _painted(colour: Map, opacity: Map, paint: tuple[float, float, float]) -> Map:
    painted: Map = colour + opacity[..., np.newaxis] * (np.asarray(paint) - colour)
    return painted


def _with_scale(rng: np.random.Generator, colour: Map, inside: Map, recipe: Recipe) -> Map:
    """Lay pale keratin cysts and flakes over the lesion."""
    shape, height = inside.shape, inside.shape[0]
    cysts = _step((_noise(rng, shape, height / 40) - 1.5) * 1.5)
    flakes = 0.6 * _step((_noise(rng, shape, height / 90) - 0.9) * 2) * _step(_noise(rng, shape, height / 8))
    opacity = 0.75 * recipe.scale * np.maximum(cysts, flakes) * _step(inside / recipe.edge)
    return _painted(colour, opacity, (0.93, 0.87, 0.78))


def _with_hairs(rng: np.random.Generator, colour: Map, count: int) -> Map:
    """Draw `count` dark, slightly bent hairs right across the picture."""
    if not count:
        return colour
    height, width = colour.shape[:2]
    layer = Image.new("L", (2 * width, 2 * height))
    draw = ImageDraw.Draw(layer)
    direction = rng.uniform(0, np.pi)
    steps = np.linspace(0, 1, 40)[:, np.newaxis]
    for _ in range(count):
        middle = rng.uniform(0, 1, 2) * [2 * width, 2 * height]
        angle = direction + rng.normal(0, 0.35)
        reach = np.array([np.cos(angle), np.sin(angle)]) * height * rng.uniform(0.35, 1.1)
        bend = middle + reach[::-1] * [-1, 1] * rng.normal(0, 0.35)
        path = (1 - steps) ** 2 * (middle - reach) + 2 * steps * (1 - steps) * bend + steps**2 * (middle + reach)
        draw.line([tuple(point) for point in path], fill=int(rng.uniform(150, 245)), width=int(rng.integers(3, 7)))
    shade = np.asarray(layer.resize((width, height), Image.Resampling.BOX), dtype=np.float64) / 255
    opacity = gaussian_filter(shade, 0.5)
    return _painted(colour, opacity, (0.16, 0.1, 0.09))


def _with_ruler(colour: Map) -> Map:
    """Draw the millimetre marks of a ruler along the lower edge, every fifth one longer."""
    marked = colour.copy()
    height, width = colour.shape[:2]
    spacing = height / 25
    for number in range(int(width / spacing)):
        column = round((number + 0.5) * spacing)
        length = round(height * (0.05 if number % 5 == 0 else 0.028))
        marked[height - length :, column : column + max(2, height // 220)] *= 0.25
    return marked


def _with_vignette(colour: Map) -> Map:
    """Darken what lies outside a dermatoscope's round field of view."""
    height, width = colour.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width] / height
    distance = np.hypot(rows - 0.5, columns - width / height / 2)
    return colour * (1 - 0.97 * _step((distance - 0.61) / 0.05))[..., np.newaxis]

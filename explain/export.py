"""Attributions as files: the raw map with all that is known of it, and a picture that explains itself."""

import json
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from explain.attribution import Attribution
from explain.methods import METHODS
from explain.overlay import OPACITY, ColourBar, colour_bar, overlay_image
from model.atomic import write_atomically
from model.classes import BY_CODE
from model.dense_head import FEATURES

NOTICE = "LesionLens · for teaching and research, not for diagnosis"
INK, PALE, PAPER = "#212529", "#6C757D", "#FFFFFF"
MIN_WIDTH, MAX_WIDTH = 600, 1600


def npz_bytes(attribution: Attribution) -> bytes:
    """An NPZ file for `numpy.load(..., allow_pickle=False)`: `values`, float32 (height, width), and `metadata`, JSON.

    `interval`, of the same shape, is in it where the attribution has one.
    The metadata hold everything else that the attribution knows: method, target, parameters, seed, cost, convergence.
    """
    metadata = {key: value for key, value in asdict(attribution).items() if key not in ("values", "interval")}
    arrays = {"values": attribution.values, "metadata": np.array(json.dumps(metadata))}
    if attribution.interval is not None:
        arrays["interval"] = attribution.interval
    content = BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def save_npz(path: Path, attribution: Attribution) -> None:
    """Write `npz_bytes` to `path`, atomically."""
    write_atomically(path, npz_bytes(attribution))


def png_bytes(image: NDArray[np.uint8], attribution: Attribution, opacity: float = OPACITY) -> bytes:
    """A PNG of the overlay on `image`, uint8 RGB (height, width, 3), with title, colour bar and notice.

    Images narrower than 600 or wider than 1600 pixels are brought to that width.
    """
    picture = _to_width(Image.fromarray(image), min(max(image.shape[1], MIN_WIDTH), MAX_WIDTH))
    overlay = Image.fromarray(overlay_image(np.asarray(picture), attribution, opacity))
    unit = overlay.width / MIN_WIDTH
    margin, header, footer = (round(unit * length) for length in (16, 60, 80))
    page = Image.new("RGB", (overlay.width + 2 * margin, header + overlay.height + footer), PAPER)
    page.paste(overlay, (margin, header))
    draw = ImageDraw.Draw(page)
    title, detail = _title(attribution), _detail(attribution)
    draw.text((margin, header * 0.16), title, INK, _fitting(title, 20 * unit, overlay.width))
    draw.text((margin, header * 0.60), detail, PALE, _fitting(detail, 12 * unit, overlay.width))
    _draw_colour_bar(page, colour_bar(attribution), (margin, header + overlay.height), unit)
    draw.text((margin, page.height - 10 * unit), NOTICE, PALE, _font(12 * unit), anchor="ls")
    content = BytesIO()
    page.save(content, "PNG")
    return content.getvalue()


def _draw_colour_bar(page: Image.Image, bar: ColourBar, corner: tuple[int, int], unit: float) -> None:
    left, top = corner
    width, height = page.width - 2 * left, round(10 * unit)
    colours = np.frombuffer(bytes.fromhex("".join(bar.colours).replace("#", "")), np.uint8).reshape(1, -1, 3)
    strip = Image.fromarray(colours).resize((width, height), Image.Resampling.BILINEAR)
    y = top + round(14 * unit)
    page.paste(strip, (left, y))
    draw = ImageDraw.Draw(page)
    below, font = y + height + 6 * unit, _font(12 * unit)
    low, middle, high = (mark.replace("−", "-").split("\n") for mark in bar.marks)
    draw.text((left, below), "  ".join(low), INK, font, anchor="la")
    draw.text((left + width / 2, below), f"{middle[0]}  ({middle[1]})", PALE, font, anchor="ma")
    draw.text((left + width, below), "  ".join(reversed(high)), INK, font, anchor="ra")


def _title(attribution: Attribution) -> str:
    method, target = METHODS[attribution.method], attribution.target
    if method.control:
        return f"{method.name}, a control"
    names = [BY_CODE[code].name if code in BY_CODE else code for code in (target.code, target.against) if code]
    return " rather than ".join([names[0], *(name[0].lower() + name[1:] for name in names[1:])])


def _detail(attribution: Attribution) -> str:
    method, layer = METHODS[attribution.method], attribution.parameters.get("layer")
    if method.control:
        return "Made without the network: a map that is no better than this one explains nothing"
    images = "1 image" if attribution.evaluations == 1 else f"{attribution.evaluations:,} images"
    place = f" at {layer}" if method.layered and layer not in (None, FEATURES) else ""
    parts = [f"What speaks for it, by {method.name}{place}", f"{images} through the network"]
    fidelity = attribution.parameters.get("local_fidelity")
    if isinstance(fidelity, float):
        parts.append(f"local fidelity {fidelity:.2f}")
    if attribution.converged is False:
        parts.append("not converged")
    return " · ".join(parts)


def _to_width(picture: Image.Image, width: int) -> Image.Image:
    if picture.width == width:
        return picture
    return picture.resize((width, max(1, round(picture.height * width / picture.width))), Image.Resampling.LANCZOS)


def _fitting(text: str, size: float, width: int) -> ImageFont.FreeTypeFont:
    """The largest font, from `size` pixels down to 6, in which `text` is no wider than `width` pixels."""
    fonts = (_font(smaller) for smaller in range(round(size), 6, -1))
    return next((font for font in fonts if font.getlength(text) <= width), _font(6))


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font

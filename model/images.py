"""Images from outside: validated at the door, and brought to what the network takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
MIN_SIDE = 32
MAX_ASPECT = 10
MAX_JPEG_SCANS = 100

_TOO_MANY_PIXELS = f"The image has more than {MAX_PIXELS // 1_000_000} megapixels. Scale it down or crop the lesion."
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(ValueError):
    """A file that cannot be taken as an image; the message says what is wrong with it and what to do."""


def decode(source: bytes | Path, *, at_least: int | None = None) -> NDArray[np.uint8]:
    """Decode one still image, given as a file's content or its path, to RGB, uint8 (height, width, 3).

    Takes JPEG, PNG, WebP, BMP and TIFF by content, whatever the name. The EXIF orientation is applied, then all
    metadata is dropped; transparency is laid on white; 16-bit values keep their high byte; a colour profile is
    ignored, as in training. Raises ImageError for everything else, whatever the file's damage is.

    With `at_least` a large JPEG is decoded at a half, a quarter or an eighth of its size, as long as both sides keep
    that many pixels: a photograph of 12 megapixels in a fifth of the time. Brought to a third of `at_least` by
    `prepare`, its values are off by one where they are at all.
    """
    return np.array(_decoded(source, at_least))


def _decoded(source: bytes | Path, at_least: int | None = None) -> Image.Image:
    """The image that `decode` gives, still Pillow's."""
    content = _checked_size(source if isinstance(source, bytes) else read(source))
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            _refuse_unsuitable(image, content)
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            image.load()
            return _to_rgb(_upright(image))
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            "The file is not a readable JPEG, PNG, WebP, BMP or TIFF image. Save it as JPEG or PNG and try again."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_TOO_MANY_PIXELS) from error
    except Exception as error:  # on damaged data Pillow's decoders raise nearly every type there is
        raise ImageError("The image is damaged or incomplete. Get the file again from where it came from.") from error


def decode_file(path: Path | str) -> NDArray[np.uint8]:
    """`decode` one of many files: the ImageError names it."""
    with _naming(path):
        return decode(Path(path))


def prepare_file(path: Path | str, size: int) -> NDArray[np.uint8]:
    """`prepare` one of many files: the same as of what `decode_file` gives, in three quarters of the time."""
    with _naming(path):
        return np.asarray(_resized(_decoded(Path(path)), size))


@contextmanager
def _naming(path: Path | str) -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def read(path: Path) -> bytes:
    """The content of an image file, at most MAX_BYTES + 1 bytes of it; raises ImageError when it cannot be read."""
    try:
        if path.exists() and not path.is_file():  # a pipe or a device could keep a reader waiting for ever
            raise ImageError("This is not a file. Give the path of an image file.")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror}.") from error


def upright_size(content: bytes) -> tuple[int, int]:
    """The width and height in pixels that `decode` gives an image file without `at_least`, from the header alone.

    Raises ImageError when the header cannot be read.
    """
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            return (height, width) if _orientation(image) in (5, 6, 7, 8) else (width, height)
    except Exception as error:  # as in decode
        raise ImageError("The image's header cannot be read.") from error


def colour_mode(content: bytes) -> str:
    """Pillow's name for how an image file stores its pixels ("RGB", "RGBA", "L", …), from the header alone.

    Raises ImageError when the header cannot be read.
    """
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            return image.mode
    except Exception as error:  # as in decode
        raise ImageError("The image's header cannot be read.") from error


def prepare(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize an RGB image, uint8 (height, width, 3), to (size, size, 3) as in training.

    Bilinear with antialiasing; the aspect ratio is not kept, so that the whole field of view stays visible.
    """
    return np.asarray(_resized(Image.fromarray(image, "RGB"), size))


def _resized(image: Image.Image, size: int) -> Image.Image:
    return image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)


def _checked_size(content: bytes) -> bytes:
    if not content:
        raise ImageError("The file is empty. Get it again from where it came from.")
    if len(content) > MAX_BYTES:
        raise ImageError(
            f"The file is larger than {MAX_BYTES // 1_000_000} MB. Scale the image down or save it as JPEG."
        )
    return content


def _refuse_unsuitable(image: Image.Image, content: bytes) -> None:
    """Refuse by the header, before any pixel is decoded."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(_TOO_MANY_PIXELS)
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"The image is {width} × {height} pixels; each side must have at least {MIN_SIDE}.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(
            f"The image is {width} × {height} pixels; the long side may be at most {MAX_ASPECT} times the short one."
        )
    # A JPEG with several pictures (MPO) is how phones store a preview or a depth map beside the photograph.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise ImageError("The file holds several frames or pages. Save the one that you mean as JPEG or PNG.")
    # Each scan costs a pass over the whole image: thousands of tiny ones would keep a decoder busy for an hour.
    if image.format in ("JPEG", "MPO") and content.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise ImageError("The JPEG is built of unusually many scans. Save it again as an ordinary JPEG.")


def _upright(image: Image.Image) -> Image.Image:
    transposition = _TRANSPOSITIONS.get(_orientation(image))
    return image if transposition is None else image.transpose(transposition)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged metadata is no reason to refuse sound pixels; Pillow raises as many types here
        return 1
    return orientation if isinstance(orientation, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F", "LAB"):
        raise ImageError(f"Pixels of kind {image.mode!r} are not supported. Save the image with 8 bits a channel, RGB.")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")

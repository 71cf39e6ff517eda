"""Images on their way in and out: from a request's body to pixels, and between the server and the browser's memory.

Nothing is written to disk, and no file that a user sends is passed on: what leaves is encoded anew from the pixels.
"""

import base64
import binascii
import io
import re
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
from fastapi import Request
from numpy.typing import NDArray
from PIL import Image
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from model.images import MAX_BYTES, ImageError, decode

MAX_SIDE = 800
FORM_BYTES = 16_384
URL = re.compile(r"data:image/(?:webp|jpeg);base64,")


class TooLargeError(ImageError):
    """A body has more bytes than an image may have."""


async def read_image_file(request: Request) -> tuple[str, bytes]:
    """The name and the content of the image that a request carries, as its whole body or as a form's first file.

    Raises TooLargeError as soon as more has come in than an image may have, and ImageError when a form has no file.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return request.query_params.get("name", "image"), await _read_body(request, MAX_BYTES)
    body = await _read_body(request, MAX_BYTES + FORM_BYTES)
    parser = MultiPartParser(request.headers, _once(body), max_files=1)
    parser.spool_max_size = MAX_BYTES + FORM_BYTES  # keeps the file in memory
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise ImageError("The form cannot be read. Send the image as the one file of a multipart form.") from error
    try:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if not files:
            raise ImageError("The form has no file. Send the image as the one file of a multipart form.")
        return files[0].filename or "image", await files[0].read()
    finally:
        await form.close()


async def _read_body(request: Request, limit: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise TooLargeError(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Scale the image down.")
    except ClientDisconnect as error:
        raise ImageError("The upload was broken off.") from error
    return bytes(body)


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def shrink(image: NDArray[np.uint8], side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """`image` itself, or where its longer side has more than `side` pixels a copy scaled down to that."""
    if max(image.shape[:2]) <= side:
        return image
    picture = Image.fromarray(image)
    # As sharp as bicubic, in half of Lanczos' time.
    picture.thumbnail((side, side), Image.Resampling.HAMMING)
    return np.asarray(picture)


def png(image: NDArray[np.uint8]) -> bytes:
    """A PNG file of uint8 RGB or RGBA pixels, without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def data_url(image: NDArray[np.uint8]) -> str:
    """The pixels in a data URL, for the browser to show and to keep: lossless WebP, in less than half of PNG's time."""
    return _encoded(image, "webp", lossless=True, quality=0, method=0)


def for_browser(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str]:
    """What a browser shows of an RGB image: the pixels, and these in a data URL.

    An image of at most MAX_SIDE pixels a side is given without loss. A larger one loses more by being scaled down than
    by JPEG, whose file is a fifth as large and takes a fifth of the time.
    """
    small = shrink(image)
    if small is image:
        return image, data_url(image)
    return small, _encoded(small, "jpeg", quality=95, subsampling=0)


def pixels(url: str) -> NDArray[np.uint8]:
    """The RGB image of a data URL that was made here and that a browser sent back; ImageError for anything else."""
    start = URL.match(url)
    if start is None:
        raise ImageError("The browser sent no image.")
    try:
        content = base64.b64decode(url[start.end() :], validate=True)
    except binascii.Error as error:
        raise ImageError("The browser sent a damaged image.") from error
    return decode(content)


def _encoded(image: NDArray[np.uint8], image_format: str, **options: Any) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format, **options)
    return f"data:image/{image_format};base64,{base64.b64encode(buffer.getvalue()).decode()}"

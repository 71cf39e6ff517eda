"""Damaged and hostile files, made in code: what a server on a network will sooner or later be sent as an image."""

import io
import pickle
import struct
import zipfile
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

HARMLESS = frozenset(
    {
        "exif_garbage.jpg",
        "exif_orientation_is_text.jpg",
        "exif_orientation_out_of_range.jpg",
        "exif_ifd_points_to_itself.jpg",
        "icc_garbage.jpg",
        "icc_garbage.png",
        "xmp_bomb_of_entities.jpg",
        "jpeg_with_html_behind_its_end.jpg",
        "jpeg_comment_with_script.jpg",
        "chunk_of_4_gigabytes.png",
    }
)
"""Those whose pixels are sound although something else is not: they decode, and what is wrong with them is dropped."""


def photograph(height: int = 120, width: int = 160, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth colour picture with a little noise, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    smooth = np.stack([rows * 255 / height, columns * 255 / width, 128 + 60 * np.sin(rows / 9)], axis=-1)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def encoded(image: NDArray[np.generic] | Image.Image, image_format: str, **options: object) -> bytes:
    """`image` as a file of Pillow's format `image_format`."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_claimed_size(width: int, height: int, data: bytes = zlib.compress(b"\0" * 100)) -> bytes:
    """An RGB PNG whose header claims a size that its data need not have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND")


def bmp_of_claimed_size(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + info + b"\x7f" * 64


def tiff(entries: list[tuple[int, int, int, int]], next_ifd: int = 0, tail: bytes = b"") -> bytes:
    """A little-endian TIFF with one IFD of (tag, type, count, value) entries, then `tail`."""
    ifd = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + ifd + struct.pack("<I", next_ifd) + tail


def tiff_of_claimed_size(width: int, height: int, next_ifd: int = 0) -> bytes:
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    return tiff([*entries, (273, 4, 1, 200), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 4000)], next_ifd)


def jpeg_with_segment(marker: int, content: bytes) -> bytes:
    """A sound JPEG with one more segment (0xE1 is APP1, 0xFE a comment) behind its start marker."""
    jpeg = encoded(photograph(), "JPEG", quality=90)
    return jpeg[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def jpeg_with_many_scans(count: int = 2000) -> bytes:
    """A progressive JPEG whose last scan is repeated: small to send, long to decode."""
    jpeg = encoded(photograph(), "JPEG", progressive=True)
    last_scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last_scan * count + jpeg[-2:]


def exif(entries: list[tuple[int, int, int, bytes]], next_ifd: int = 0) -> bytes:
    """The content of an EXIF APP1 segment with (tag, type, count, 4 bytes of value) entries, big-endian."""
    ifd = struct.pack(">H", len(entries)) + b"".join(struct.pack(">HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0MM\0*" + struct.pack(">I", 8) + ifd + struct.pack(">I", next_ifd)


def animation(image_format: str) -> bytes:
    frames = [Image.fromarray(photograph(seed=seed)) for seed in range(3)]
    return encoded(frames[0], image_format, save_all=True, append_images=frames[1:], duration=100)


def zip_with_image() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("lesion.jpg"), encoded(photograph(), "JPEG"))
        archive.writestr(zipfile.ZipInfo("zeros"), bytes(5_000_000), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def damaged(content: bytes, start: int, replacement: bytes) -> bytes:
    return content[:start] + replacement + content[start + len(replacement) :]


def truncated_files() -> dict[str, bytes]:
    """Every format, cut off early in its header, a third in, and shortly before its end."""
    files = {}
    whole = {
        "jpg": encoded(photograph(), "JPEG", quality=90),
        "progressive.jpg": encoded(photograph(), "JPEG", quality=90, progressive=True),
        "png": encoded(photograph(), "PNG"),
        "webp": encoded(photograph(), "WEBP"),
        "lossless.webp": encoded(photograph(), "WEBP", lossless=True),
        "bmp": encoded(photograph(), "BMP"),
        "tif": encoded(photograph(), "TIFF"),
        "deflate.tif": encoded(photograph(), "TIFF", compression="tiff_adobe_deflate"),
    }
    for name, content in whole.items():
        for share in (0.005, 0.33, 0.9):
            files[f"truncated_at_{share:.1%}.{name}"] = content[: max(1, int(share * len(content)))]
    return files


def files_that_are_no_images() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    array = io.BytesIO()
    np.save(array, photograph())
    return {
        "empty.jpg": b"",
        "one_byte.jpg": b"\xff",
        "text.jpg": b"This is a note about a lesion, not a picture of it.\n" * 50,
        "page.png": b"<!doctype html><html><body><script>alert(1)</script></body></html>",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><circle r="9"/></svg>',
        "entities.svg": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
        "report.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
        "figure.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(ls) system\n",
        "pickle.jpg": pickle.dumps({"image": photograph()}),
        "array.npy": array.getvalue(),
        "program.png": b"\x7fELF\x02\x01\x01" + bytes(200),
        "archive.jpg": zip_with_image(),
        "random.jpg": rng.bytes(5000),
        "random_behind_jpeg_magic.jpg": b"\xff\xd8\xff\xe0" + rng.bytes(5000),
        "random_behind_png_magic.png": PNG_SIGNATURE + rng.bytes(5000),
        "random_behind_webp_magic.webp": b"RIFF" + struct.pack("<I", 5000) + b"WEBPVP8 " + rng.bytes(5000),
        "random_behind_bmp_magic.bmp": b"BM" + rng.bytes(5000),
        "random_behind_tiff_magic.tif": b"II*\0" + rng.bytes(5000),
        "random_behind_bigtiff_magic.tif": b"II+\0\x08\0\0\0" + rng.bytes(5000),
        "zeros.bmp": bytes(10_000),
        "still.gif": encoded(Image.fromarray(photograph()).convert("P"), "GIF"),
        "still.ppm": encoded(photograph(), "PPM"),
    }


def files_of_unsuitable_size() -> dict[str, bytes]:
    huge_webp = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (16_382).to_bytes(3, "little") * 2
    return {
        "larger_than_20_megabytes.jpg": encoded(photograph(), "JPEG") + bytes(20_000_001),
        "one_pixel.png": encoded(photograph(1, 1), "PNG"),
        "line_of_100000_pixels.png": encoded(photograph(1, 100_000), "PNG"),
        "strip.png": encoded(photograph(40, 4000), "PNG"),
        "zero_width.png": png_of_claimed_size(0, 100),
        "zero_height.png": png_of_claimed_size(100, 0),
        "zero_sized.bmp": bmp_of_claimed_size(0, 0),
        "zero_sized.tif": tiff_of_claimed_size(0, 0),
        "claims_60_megapixels.png": png_of_claimed_size(10_000, 6_000),
        "claims_100_megapixels.png": png_of_claimed_size(10_000, 10_000),
        "claims_2_gigapixels.png": png_of_claimed_size(50_000, 40_000),
        "claims_4_exapixels.png": png_of_claimed_size(2**31 - 1, 2**31 - 1),
        "really_64_megapixels.png": encoded(Image.new("L", (8000, 8000)), "PNG"),
        "claims_400_megapixels.bmp": bmp_of_claimed_size(20_000, 20_000),
        "claims_too_much_upside_down.bmp": bmp_of_claimed_size(2**31 - 1, -(2**31)),
        "claims_900_megapixels.tif": tiff_of_claimed_size(30_000, 30_000),
        "claims_268_megapixels.webp": b"RIFF" + struct.pack("<I", 22) + b"WEBP" + huge_webp,
    }


def damaged_images() -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    jpeg, png = encoded(photograph(), "JPEG", quality=90), encoded(photograph(), "PNG")
    webp, tif = encoded(photograph(), "WEBP"), encoded(photograph(), "TIFF", compression="tiff_lzw")
    scan = jpeg.index(b"\xff\xda") + 14
    data = png.index(b"IDAT") + 4
    return {
        "wrong_checksum.png": damaged(png, data + 50, b"\0\0\0\0"),
        "wrong_header_checksum.png": damaged(png, 29, b"\0\0\0\0"),
        "data_is_not_zlib.png": png_of_claimed_size(100, 100, rng.bytes(500)),
        "too_little_data.png": png_of_claimed_size(100, 100),
        "without_data.png": PNG_SIGNATURE + png[8:33] + png_chunk(b"IEND"),
        "chunk_of_4_gigabytes.png": png[:33] + struct.pack(">I", 2**32 - 1) + b"IDAT" + png[41:],
        "impossible_bit_depth.png": PNG_SIGNATURE
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 77, 99, 9, 9, 9))
        + png[33:],
        "scan_of_markers.jpg": jpeg[:scan] + b"\xff\xc0\x00\x03" * 500,
        "no_scan.jpg": jpeg[: scan - 14] + b"\xff\xd9",
        "tables_overwritten.jpg": damaged(jpeg, 20, rng.bytes(300)),
        "segment_longer_than_file.jpg": jpeg[:2] + b"\xff\xe1\xff\xff" + b"Exif",
        "many_scans.jpg": jpeg_with_many_scans(),
        "stream_overwritten.webp": damaged(webp, 20, rng.bytes(len(webp) - 40)),
        "length_field_of_4_gigabytes.webp": damaged(webp, 4, b"\xff\xff\xff\xff"),
        "strips_overwritten.tif": damaged(tif, 8, rng.bytes(len(tif) // 2)),
        "directory_points_to_itself.tif": tiff([], next_ifd=8),
        "directory_beyond_the_end.tif": b"II*\0" + struct.pack("<I", 2**31),
        "billion_strips.tif": tiff([(256, 4, 1, 100), (257, 4, 1, 100), (273, 4, 10**9, 8), (279, 4, 10**9, 8)]),
        "strip_beyond_the_end.tif": tiff_of_claimed_size(100, 100),
        "palette_of_4_billion.bmp": damaged(bmp_of_claimed_size(100, 100), 46, b"\xff\xff\xff\xff"),
        "unknown_compression.bmp": damaged(bmp_of_claimed_size(100, 100), 30, struct.pack("<I", 99)),
        "floats.tif": encoded(Image.fromarray(photograph()).convert("F"), "TIFF"),
    }


def animations() -> dict[str, bytes]:
    second_page = tiff_of_claimed_size(64, 64, next_ifd=122) + bytes(8000)
    return {
        "animated.gif": animation("GIF"),
        "animated.webp": animation("WEBP"),
        "animated.png": animation("PNG"),
        "pages.tif": animation("TIFF"),
        "pages_without_end.tif": second_page,
    }


def images_with_hostile_metadata() -> dict[str, bytes]:
    rng = np.random.default_rng(2)
    entities = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + b"c" * 9000 + b'">]><a>' + b"&b;" * 9000 + b"</a>"
    png = encoded(photograph(), "PNG")
    text_bomb = png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(30_000_000), 9))
    return {
        "exif_garbage.jpg": jpeg_with_segment(0xE1, b"Exif\0\0" + rng.bytes(3000)),
        "exif_orientation_is_text.jpg": jpeg_with_segment(0xE1, exif([(0x112, 2, 4, b"up!\0")])),
        "exif_orientation_out_of_range.jpg": jpeg_with_segment(0xE1, exif([(0x112, 3, 1, b"\xff\xff\0\0")])),
        "exif_ifd_points_to_itself.jpg": jpeg_with_segment(0xE1, exif([(0x8769, 4, 1, b"\0\0\0\x08")], next_ifd=8)),
        "icc_garbage.jpg": jpeg_with_segment(0xE2, b"ICC_PROFILE\0\1\1" + rng.bytes(2000)),
        "icc_garbage.png": png[:33] + png_chunk(b"iCCP", b"x\0\0" + zlib.compress(rng.bytes(2000))) + png[33:],
        "xmp_bomb_of_entities.jpg": jpeg_with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + entities),
        "jpeg_with_html_behind_its_end.jpg": encoded(photograph(), "JPEG") + b"<script>alert(1)</script>" * 50,
        "jpeg_comment_with_script.jpg": jpeg_with_segment(0xFE, b"<script>alert(1)</script>"),
        "png_text_bomb.png": png[:33] + text_bomb + png[33:],
        "png_text_bomb_of_many_chunks.png": png[:33] + text_bomb * 50 + png[33:],
    }


def hostile_files() -> dict[str, bytes]:
    """File names and contents; the same at every call. All but HARMLESS must be refused."""
    return {
        **files_that_are_no_images(),
        **files_of_unsuitable_size(),
        **damaged_images(),
        **animations(),
        **truncated_files(),
        **images_with_hostile_metadata(),
    }

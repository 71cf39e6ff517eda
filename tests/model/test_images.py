import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from model.images import MAX_BYTES, MAX_PIXELS, ImageError, colour_mode, decode, prepare, prepare_file, upright_size
from tests.model.hostile import HARMLESS, encoded, hostile_files, jpeg_with_segment, photograph

HOSTILE = hostile_files()


def in_memory(mode: str) -> Image.Image:
    return Image.fromarray(photograph()).convert(mode)


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean absolute difference of two images, in grey levels."""
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


def test_a_large_photograph_is_decoded_small_and_prepared_to_the_same_pixels(originals: list[Path]) -> None:
    for path in originals[:3]:
        large = Image.fromarray(decode(path)).resize((2400, 1800), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        large.save(buffer, "JPEG", quality=92)
        small = decode(buffer.getvalue(), at_least=3 * 96)
        assert small.shape == (450, 600, 3)
        assert difference(prepare(small, 96), prepare(decode(buffer.getvalue()), 96)) < 0.5


def test_no_side_is_decoded_under_what_is_asked_and_other_formats_keep_their_size() -> None:
    pixels = np.zeros((700, 500, 3), np.uint8)
    assert decode(encoded(Image.fromarray(pixels), "JPEG"), at_least=130).shape == (350, 250, 3)
    assert decode(encoded(Image.fromarray(pixels), "JPEG"), at_least=500).shape == (700, 500, 3)
    assert decode(encoded(Image.fromarray(pixels), "PNG"), at_least=40).shape == (700, 500, 3)


def test_the_size_is_that_of_the_upright_image() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    content = encoded(Image.fromarray(np.zeros((700, 500, 3), np.uint8)), "JPEG", exif=turned)
    height, width = decode(content).shape[:2]
    assert upright_size(content) == (width, height) == (700, 500)


def test_the_collection_of_hostile_files_is_large_and_always_the_same() -> None:
    assert len(HOSTILE) >= 40
    assert hostile_files() == HOSTILE
    assert set(HOSTILE) > HARMLESS


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words_or_decoded_without_what_is_wrong(name: str) -> None:
    if name in HARMLESS:
        assert difference(decode(HOSTILE[name]), photograph()) < 10
        return
    with pytest.raises(ImageError) as refusal:
        decode(HOSTILE[name])
    message = str(refusal.value)
    assert message.endswith(".")
    assert len(message) > 30
    assert "object at 0x" not in message


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_any_damaged_byte_gives_an_image_or_an_image_error(image_format: str) -> None:
    rng = np.random.default_rng(0)
    whole = bytearray(encoded(photograph(), image_format))
    for _ in range(150):
        damaged = whole.copy()
        for position in rng.integers(0, len(whole), rng.integers(1, 20)):
            damaged[position if rng.random() < 0.5 else position % 300] = rng.integers(256)
        try:
            image = decode(bytes(damaged))
        except ImageError:
            continue
        assert image.dtype == np.uint8
        assert image.ndim == 3


@pytest.mark.parametrize(
    ("image_format", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, 6),
        ("JPEG", {"quality": 95, "progressive": True}, 6),
        ("PNG", {}, 0),
        ("WEBP", {"quality": 95}, 6),
        ("WEBP", {"lossless": True}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "jpeg", "quality": 95}, 6),
    ],
)
def test_every_format_decodes_to_its_pixels(image_format: str, options: dict[str, object], tolerance: float) -> None:
    image = decode(encoded(photograph(), image_format, **options))
    assert image.shape == (120, 160, 3)
    assert image.dtype == np.uint8
    assert difference(image, photograph()) <= tolerance


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "lesion.jpg"
    path.write_bytes(encoded(photograph(), "PNG"))
    assert np.array_equal(decode(path), photograph())


@pytest.mark.parametrize(
    ("mode", "image_format"),
    [("L", "JPEG"), ("L", "PNG"), ("1", "PNG"), ("P", "PNG"), ("P", "BMP"), ("CMYK", "JPEG"), ("CMYK", "TIFF")],
)
def test_every_colour_mode_becomes_rgb(mode: str, image_format: str) -> None:
    source = in_memory(mode)
    assert difference(decode(encoded(source, image_format)), np.asarray(source.convert("RGB"))) < 6


def test_sixteen_bit_grey_keeps_its_high_byte() -> None:
    grey = np.asarray(in_memory("L"))
    deep = grey.astype(np.uint16) * 256 + 99
    for image_format in ("PNG", "TIFF"):
        assert np.array_equal(decode(encoded(deep, image_format)), np.repeat(grey[..., np.newaxis], 3, axis=-1))


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_laid_on_white(image_format: str) -> None:
    options = {"lossless": True, "exact": True} if image_format == "WEBP" else {}
    rgba = np.dstack([photograph(), np.full((120, 160), 255, np.uint8)])
    rgba[:60, :, 3] = 0
    image = decode(encoded(rgba, image_format, **options))
    assert (image[:60] == 255).all()
    assert np.array_equal(image[60:], photograph()[60:])


def test_a_transparent_palette_colour_is_laid_on_white() -> None:
    source = Image.fromarray(np.repeat([[0], [1]], 64, axis=1).repeat(32, axis=0).astype(np.uint8), "L").convert("P")
    source.putpalette([200, 0, 0, 0, 200, 0])
    image = decode(encoded(source, "PNG", transparency=0))
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[-1, 0].tolist() == [0, 200, 0]


# What a viewer shows for each EXIF orientation of the stored pixels: the EXIF 2.3 table, as array operations.
SHOWN = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", SHOWN)
def test_the_exif_orientation_is_applied(orientation: int, image_format: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image = decode(encoded(photograph(), image_format, exif=exif))
    expected = SHOWN[orientation](photograph())
    assert image.shape == expected.shape
    assert difference(image, expected) < 10


def test_a_phone_photograph_with_a_second_picture_inside_gives_the_first() -> None:
    preview = Image.fromarray(photograph(60, 80, seed=9))
    mpo = encoded(Image.fromarray(photograph()), "MPO", save_all=True, append_images=[preview])
    assert difference(decode(mpo), photograph()) < 10


def test_the_size_is_judged_before_any_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_decoding(*_: object) -> None:
        pytest.fail("pixels were decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", no_decoding)
    with pytest.raises(ImageError, match="50 megapixels"):
        decode(HOSTILE["really_64_megapixels.png"])


def test_the_limits_themselves_are_allowed() -> None:
    side = int(MAX_PIXELS**0.5)
    assert decode(encoded(Image.new("L", (side, MAX_PIXELS // side)), "PNG")).shape == (MAX_PIXELS // side, side, 3)
    jpeg = encoded(photograph(), "JPEG")
    assert decode(jpeg + bytes(MAX_BYTES - len(jpeg))).shape == (120, 160, 3)
    with pytest.raises(ImageError, match="20 MB"):
        decode(jpeg + bytes(MAX_BYTES - len(jpeg) + 1))
    assert decode(encoded(photograph(32, 320), "PNG")).shape == (32, 320, 3)


@pytest.mark.parametrize("name", ["missing.jpg", ".", "no/such/folder.jpg"])
def test_a_path_that_is_no_file_is_an_image_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match=r"No such file|not a file"):
        decode(tmp_path / name)


def test_a_device_is_not_read() -> None:
    with pytest.raises(ImageError, match="not a file"):
        decode(Path("/dev/zero"))


def test_the_colour_mode_comes_from_the_header() -> None:
    assert colour_mode(encoded(photograph(), "JPEG")) == "RGB"
    assert colour_mode(encoded(in_memory("L"), "JPEG")) == "L"
    assert colour_mode(encoded(in_memory("RGBA"), "PNG")) == "RGBA"
    with pytest.raises(ImageError):
        colour_mode(b"not an image")


def test_a_comment_does_not_change_the_pixels() -> None:
    plain = decode(encoded(photograph(), "JPEG", quality=90))
    assert np.array_equal(decode(jpeg_with_segment(0xFE, b"patient: Jane Doe")), plain)


def test_the_published_originals_decode(originals: list[Path]) -> None:
    assert len(originals) == 40
    for path in originals:
        image = decode(path)
        assert image.shape == (450, 600, 3)
        with Image.open(path) as reference:
            assert np.array_equal(image, np.asarray(reference.convert("RGB")))


def test_prepared_images_have_the_size_of_the_network_and_the_whole_field_of_view() -> None:
    prepared = prepare(photograph(450, 600), 160)
    assert prepared.shape == (160, 160, 3)
    assert prepared.dtype == np.uint8
    quadrants = photograph(450, 600).reshape(2, 225, 2, 300, 3).mean((1, 3))
    assert np.abs(prepared.reshape(2, 80, 2, 80, 3).mean((1, 3)) - quadrants).max() < 2


@pytest.mark.parametrize(
    ("suffix", "mode"), [("jpg", "RGB"), ("jpg", "L"), ("png", "RGB"), ("png", "RGBA"), ("png", "P"), ("webp", "RGB")]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_file_is_prepared_to_the_same_pixels_as_its_decoded_image(
    suffix: str, mode: str, orientation: int, tmp_path: Path
) -> None:
    turned = Image.Exif()
    turned[0x0112] = orientation
    path = tmp_path / f"lesion.{suffix}"
    in_memory(mode).save(path, exif=turned)
    np.testing.assert_array_equal(prepare_file(path, 96), prepare(decode(path), 96))


def test_a_file_that_cannot_be_prepared_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("no image")
    with pytest.raises(ImageError, match=r"notes\.jpg: The file is not a readable JPEG"):
        prepare_file(path, 96)

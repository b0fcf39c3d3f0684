"""Every mode, depth, rotation and transparency of an image file gives the right 8-bit pixels, or is refused by name."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from image_files import png, tiff
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin

from gan_jax.data.sources import decoding
from gan_jax.data.sources.decoding import decode, decode_alpha, read_header
from gan_jax.errors import BadInput

SHOWN = Path("photos/one.file")
RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
CHANNELS = np.random.default_rng(0).integers(0, 65536, (8, 6, 4)).astype(np.uint16)


def saved(image, kind, **options):
    """Returns the function that opens an image saved by Pillow."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return partial(io.BytesIO, file.getvalue())


def pixels(data, mode="RGB", resize=None):
    return decode(data if callable(data) else partial(io.BytesIO, data), SHOWN, mode, resize)


def header(data):
    return read_header(data if callable(data) else partial(io.BytesIO, data), SHOWN)


@pytest.mark.parametrize(
    "data",
    [
        png(RAMP),
        tiff(RAMP, "<"),
        tiff(RAMP, ">"),
        tiff(~RAMP, "<", photometric=0),  # zero is white
        b"P5 256 256 65535\n" + RAMP.astype(">u2").tobytes(),
        saved(Image.fromarray(RAMP[..., 0]), "PNG")(),
        saved(Image.fromarray(RAMP[..., 0]), "TIFF", compression="tiff_lzw")(),
        saved(Image.fromarray(RAMP[..., 0]), "JPEG2000", irreversible=False)(),
    ],
    ids=["png", "tiff <", "tiff >", "tiff white", "pgm", "png of Pillow", "lzw", "jpeg 2000"],
)
def test_16_bit_gray_keeps_the_8_highest_bits(data):
    data = data if isinstance(data, bytes) else data.getvalue()
    assert header(data)[1:3] == (False, True)
    np.testing.assert_array_equal(pixels(data, "L"), RAMP[..., 0] >> 8)


@pytest.mark.parametrize("data", [png(CHANNELS[..., :3]), tiff(CHANNELS[..., :3], "<"), tiff(CHANNELS[..., :3], ">")])
def test_16_bit_color_keeps_the_8_highest_bits(data):
    assert header(data)[1:3] == (True, True)
    np.testing.assert_array_equal(pixels(data), CHANNELS[..., :3] >> 8)


def over_white(color, alpha):
    """Composites values of 0 ... 255 in float64."""
    return color * (alpha / 255) + 255 * (1 - alpha / 255)


@pytest.mark.parametrize(("encode", "channels"), [(png, 2), (png, 4), (tiff, 4)])
def test_16_bit_images_with_alpha_are_composited_on_white(encode, channels):
    color, alpha = CHANNELS[..., : channels - 1] >> 8, CHANNELS[..., channels - 1 : channels] >> 8
    data = encode(CHANNELS[..., :channels])
    assert header(data)[1:3] == (channels > 2, True)
    found = pixels(data, "RGB" if channels > 2 else "L").reshape(8, 6, -1)
    np.testing.assert_allclose(found, over_white(color, alpha), atol=1)


def test_12_bits_keep_the_highest_of_those_the_file_declares():
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1)
    np.testing.assert_array_equal(pixels(tiff(ramp, bits=12), "L"), ramp[..., 0] >> 4)
    np.testing.assert_array_equal(pixels(tiff(ramp), "L"), ramp[..., 0] >> 8)  # 12 bits in 16
    np.testing.assert_array_equal(pixels(png(ramp), "L"), ramp[..., 0] >> 8)


@pytest.mark.parametrize(
    ("dtype", "sample_format"),
    [("i1", 2), ("i2", 2), ("i4", 2), ("u4", 1), ("f2", 3), ("f4", 3), ("f8", 3)],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_signed_32_bit_and_float_tiff_is_refused_by_name(dtype, sample_format, order):
    data = tiff(np.zeros((4, 6, 1), dtype), order, sample_format=sample_format)
    for read in (header, pixels):
        with pytest.raises(BadInput, match=r"photos/one\.file"):
            read(data)


def ramp_of(mode):
    """Makes an image of any mode, whose bands run through 0 ... 255 with different steps."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    x = np.stack([np.arange(256) * step % 256 for step in (1, 3, 5, 7)[:bands]], axis=-1).astype(np.uint8)
    if mode == "1":
        return Image.fromarray(x.reshape(16, 16)).point(lambda v: 255 * (v > 99), "1")
    if mode.startswith("I;16"):
        values = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
        return Image.frombytes(mode, (16, 16), values.astype(">u2" if mode[-1] == "B" else "<u2").tobytes())
    if mode in ("I", "F"):
        return Image.fromarray(np.zeros((16, 16), np.int32 if mode == "I" else np.float32))
    image = Image.frombytes(mode, (16, 16), x.tobytes())
    if mode in ("P", "PA"):
        image.putpalette([(v * step + 9) % 256 for v in range(256) for step in (11, 13, 17)])
    return image


def expected(mode):
    """Computes the pixels of `ramp_of(mode)` as gray `[16, 16]` or RGB `[16, 16, 3]`, without Pillow."""
    first, *others = (np.arange(256).reshape(16, 16) * step % 256 for step in (1, 3, 5, 7))
    color = np.stack([first, *others[:2]], axis=-1)
    palette = np.stack([(first * step + 9) % 256 for step in (11, 13, 17)], axis=-1)
    y, cb, cr = (band.astype(float) for band in (first, others[0] - 128, others[1] - 128))
    return {
        "1": 255 * (first > 99),
        "L": first,
        "LA": over_white(first, others[0]),
        "I;16": first,
        "I;16B": first,
        "I;16L": first,
        "P": palette,
        "PA": over_white(palette, others[0][..., None]),
        "RGB": color,
        "RGBX": color,
        "RGBA": over_white(color, others[2][..., None]),
        "CMYK": (255 - color) * (255 - others[2][..., None]) / 255,
        # ITU-T T.871, section 7
        "YCbCr": np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1).clip(0, 255),
    }[mode]


def modes_of(table):
    """Returns the modes of images that Pillow can make, of those a plugin saves."""
    return [mode for mode in table if ";" not in mode or mode.startswith("I;16")]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", mode) for mode in modes_of(PngImagePlugin._OUTMODES)]
    + [("TIFF", mode) for mode in modes_of(TiffImagePlugin.SAVE_INFO)],
)
def test_every_mode_of_png_and_tiff_has_the_right_pixels_or_is_refused(kind, mode):
    data = saved(ramp_of(mode), kind)
    if mode in ("I", "F"):
        with pytest.raises(BadInput, match=rf"photos/one\.file holds .* \(TIFF, mode {mode}\): scale it"):
            header(data)
        with pytest.raises(BadInput, match="scale it"):
            pixels(data)
    elif mode == "LAB":
        assert header(data).color and pixels(data).shape == (16, 16, 3)
    else:
        wanted = expected(mode)
        assert header(data).color == (wanted.ndim == 3)
        np.testing.assert_allclose(pixels(data, "RGB" if wanted.ndim == 3 else "L"), wanted, atol=2)


def test_neutral_lab_is_gray():
    lab = np.zeros((1, 256, 3), np.uint8)
    lab[..., 0] = np.arange(256)
    found = pixels(tiff(lab, photometric=8))[0].astype(int)
    assert np.ptp(found, axis=-1).max() <= 2 and (np.diff(found.mean(-1)) >= 0).all()
    assert found[0].max() <= 1 and found[-1].min() >= 254


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "1"), ("PNG", "L"), ("PNG", "RGB"), ("PNG", "P"), ("GIF", "L"), ("GIF", "P")]
)
def test_transparent_colors_become_white(kind, mode):
    image = Image.new(mode, (4, 2), 0)
    image.paste({"1": 1, "L": 90, "RGB": (1, 2, 3), "P": 1}[mode], (2, 0, 4, 2))
    if mode == "P":
        image.putpalette([5, 6, 7, 1, 2, 3])
    data = saved(image, kind, transparency=(0, 0, 0) if mode == "RGB" else 0)
    found = pixels(data)
    assert (found[:, :2] == 255).all()
    assert (found[:, 2:] == {"1": 255, "L": 90, "RGB": (1, 2, 3), "P": (1, 2, 3)}[mode]).all()


def test_palette_with_partial_transparency_is_composited():
    image = Image.new("P", (3, 1))
    image.putdata([0, 1, 2])
    image.putpalette([10, 20, 30] * 3)
    found = pixels(saved(image, "PNG", transparency=bytes([0, 128, 255])))[0]
    np.testing.assert_allclose(found, over_white(np.array([10, 20, 30]), np.array([[0], [128], [255]])), atol=1)


def test_hidden_color_below_full_transparency_does_not_matter():
    x = np.zeros((2, 2, 4), np.uint8)
    assert (pixels(png(x)) == 255).all()
    assert (pixels(png(x[..., :2]), "L") == 255).all()


@pytest.mark.parametrize(
    "data",
    [
        png(CHANNELS[..., [0, 3]]),
        png(CHANNELS),
        saved(Image.fromarray((CHANNELS >> 8).astype(np.uint8)), "WEBP", lossless=True, exact=True)().getvalue(),
    ],
    ids=["gray", "color", "webp"],
)
def test_alpha_is_read_as_it_is_stored(data):
    assert header(data).alpha
    np.testing.assert_array_equal(decode_alpha(partial(io.BytesIO, data), SHOWN), CHANNELS[..., 3] >> 8)


def test_alpha_of_a_palette_is_that_of_its_color_and_turns_with_the_image():
    image = Image.new("P", (3, 1))
    image.putdata([0, 1, 2])
    image.putpalette([10, 20, 30] * 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(image, "PNG", transparency=bytes([0, 128, 255]), exif=exif)
    assert header(data).alpha and decode_alpha(data, SHOWN).tolist() == [[0], [128], [255]]
    assert not header(saved(image, "PNG")).alpha


@pytest.mark.parametrize(("data", "key"), [(CHANNELS[..., :1], b"\0\7"), (CHANNELS[..., :3], b"\0\7" * 3)])
def test_transparent_color_of_16_bits_is_refused(data, key):
    with pytest.raises(BadInput, match="16 bits and a transparent color"):
        header(png(data, before=[(b"tRNS", key)]))


UPRIGHT = np.kron([[0, 80], [250, 160]], np.ones((16, 24))).astype(np.uint8)
STORED = {
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.T,
    6: np.rot90(UPRIGHT),  # to be turned clockwise
    7: UPRIGHT[::-1, ::-1].T,
    8: np.rot90(UPRIGHT, -1),
}
"""How a camera stores a picture, by EXIF orientation (Exif 3.0, tag 274)."""


def exif(orientation):
    about = Image.Exif()
    about[274] = orientation
    return about.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_rotation_is_applied_to_pixels_and_sizes(kind, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation]))
    data = saved(stored.convert("RGB"), kind, exif=exif(orientation))
    assert header(data).size == (48, 32)
    np.testing.assert_allclose(pixels(data, "L"), UPRIGHT, atol=60)  # lossy formats ring at edges
    assert abs(pixels(data, "L")[2:-2, 2:-2].astype(int) - UPRIGHT[2:-2, 2:-2]).mean() < 4


def test_exif_rotation_behind_the_pixels_of_a_png_is_applied():
    x = UPRIGHT[..., None]
    data = png(np.rot90(x), after=[(b"eXIf", exif(6).removeprefix(b"Exif\0\0"))])
    np.testing.assert_array_equal(pixels(data, "L"), UPRIGHT)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("about", [b"", b"II", b"no EXIF at all", b"MM\0*\0\0\0\7\xff\xff\xff", exif(0), exif(9)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_changes_nothing(kind, about):
    image = Image.fromarray(UPRIGHT)
    plain, data = saved(image, kind), saved(image, kind, exif=about)
    assert header(data).size == (48, 32)
    np.testing.assert_array_equal(pixels(data, "L"), pixels(plain, "L"))


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP", "AVIF", "MPO"])
def test_first_of_several_pages_is_read_and_the_header_says_so(kind):
    first, second = (Image.new("RGB", (32, 32), color) for color in ("black", "white"))
    several = saved(first, kind, save_all=True, append_images=[second])
    assert header(several).several and not header(saved(first, kind)).several
    assert pixels(several).max() < 9


def test_too_many_pixels_are_refused_for_that_reason(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9)
    with pytest.raises(BadInput, match=r"one\.file has too many pixels \(.*24 pixels.*18 pixels.*\): make it smaller"):
        header(png(np.zeros((4, 6, 1), np.uint8)))


@pytest.mark.parametrize("cut", [5, 40])
def test_reason_of_an_unreadable_image_is_told(cut):
    data = png(CHANNELS)[:-cut]
    with pytest.raises(BadInput, match=r"cannot be read as an image \(.+\): repair or remove it"):
        pixels(data[:20] if cut == 5 else data)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_ending_that_pillow_reads_is_read():
    """The endings are Pillow's own: those of every format that it can save here are saved and read."""
    read = set()
    for ending in decoding.endings():
        kind = Image.registered_extensions()[ending]
        for mode in ("RGB", "L", "P", "1", "RGBA"):
            image = Image.new(mode, (32, 32))
            try:
                data = saved(image, kind)
            except (KeyError, OSError, ValueError, AttributeError):
                continue
            width, height = header(data).size
            assert pixels(data).shape == (height, width, 3), ending
            read.add(ending)
            break
    assert {".jfif", ".gif", ".avif", ".webp", ".jp2", ".tga", ".ico", ".apng", ".jpe", ".mpo"} <= read
    assert len(read) > 40


def test_formats_that_need_other_programs_are_not_opened():
    assert not {".eps", ".ps", ".pdf", ".h5", ".mpg", ".wmf"} & set(decoding.endings())
    stubs = {name for name, (factory, _) in Image.OPEN.items() if _is_stub(factory)}
    assert stubs and not stubs & set(decoding.formats())
    with pytest.raises(BadInput, match="no known format"):
        header(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")


def _is_stub(factory):
    return isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)

"""Decodes image files with Pillow: to 8 bits, upright, opaque, gray or color.

16-bit values become `v >> 8`, EXIF rotation is applied, transparent pixels show `BACKGROUND`, and of several pages or
frames the first is read. Palettes and CMYK are color.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from jaxtyping import UInt8

from gan_jax.errors import BadInput

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 2
"""Version of these rules, for keys of the cache: arrays decoded under other rules are decoded again."""

BACKGROUND = "white"

NOT_DECODED = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
"""Formats that Pillow identifies, but decodes only with other programs or not at all."""

SIXTEEN_BITS = {"I;16", "I;16B", "I;16L", "I;16N"}
GRAY = {"1", "L", "LA", "La", *SIXTEEN_BITS}

PHOTOMETRIC, BITS, SAMPLE_FORMAT = 262, 258, 339
"""TIFF tags: 0 if zero is white; bits per sample; kind of number, 1 if unsigned and 4 if undefined."""

ORIENTATION = 274


class Header(NamedTuple):
    """What an image file says of itself before it is decoded."""

    size: tuple[int, int]
    """Width and height after the EXIF rotation."""
    color: bool
    deep: bool
    """Whether it has 16 bits per channel."""
    several: bool
    """Whether it has several pages or frames."""
    classes: bool = False
    """Whether its bytes can be classes: one channel or a palette, in a format that keeps them exactly."""
    alpha: bool = False
    """Whether it has an alpha channel or a transparent color."""


@cache
def formats() -> tuple[str, ...]:
    """Returns the formats that Pillow decodes, common ones first."""
    from PIL import Image

    Image.preinit()  # the common ones
    Image.init()
    return tuple(name for name in Image.ID if name not in NOT_DECODED)


@cache
def endings() -> tuple[str, ...]:
    """Returns the endings of image files that Pillow decodes, in lower case."""
    from PIL import Image

    decoded = {*formats(), "MPO"}  # MPO is opened as JPEG
    return tuple(sorted(ending for ending, name in Image.registered_extensions().items() if name in decoded))


def read_header(open_file: Callable[[], BinaryIO], shown: Path) -> Header:
    """Reads the header of an image file, without decoding its pixels; `shown` is its path in messages.

    Raises:
        BadInput: not an image, or one whose values have no 8-bit meaning: signed, 32-bit or float.
    """
    with _opened(open_file, shown) as image:
        _check_values(image, shown)
        width, height = image.size
        if image.format != "TIFF" and _orientation(image) > 4:  # Pillow rotates TIFF itself
            width, height = height, width
        rawmode = _rawmode(image)
        color = image.mode not in GRAY and not _is_deep_gray(image) and not rawmode.startswith("LA;16")
        deep = _is_deep_gray(image) or ";16" in rawmode
        classes = image.mode in ("1", "L", "P") and image.format not in ("JPEG", "MPO")
        several = getattr(image, "is_animated", False)
        return Header((width, height), color, deep, several, classes, image.has_transparency_data)


def decode(
    open_file: Callable[[], BinaryIO], shown: Path, mode: str, resize: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "H W *C"]:
    """Decodes an image file to `mode` L or RGB; with `resize`, cropped to that ratio and resized to (width, height).

    Raises:
        BadInput: the file is damaged, or as `read_header`.
    """
    with _opened(open_file, shown) as image:
        return _pixels(image, shown, mode, resize)


def decode_frames(
    open_file: Callable[[], BinaryIO], shown: Path, mode: str, resize: tuple[int, int] | None = None
) -> Iterator[UInt8[np.ndarray, "H W *C"]]:
    """Decodes all frames of a file, one by one, as `decode` does the first."""
    with _opened(open_file, shown) as image:
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            yield _pixels(image, shown, mode, resize)


def count_frames(open_file: Callable[[], BinaryIO], shown: Path) -> int:
    """Counts the frames of a file, which reads all of a GIF. Raises `BadInput` if it is damaged."""
    with _opened(open_file, shown) as image:
        return getattr(image, "n_frames", 1)


def _pixels(image: "Image", shown: Path, mode: str, resize: tuple[int, int] | None) -> UInt8[np.ndarray, "H W *C"]:
    from PIL import ImageOps

    _check_values(image, shown)
    image.load()
    orientation = _orientation(image)
    upright = _turned(_opaque(_eight_bits(image)).convert(mode), orientation)
    return np.asarray(ImageOps.fit(upright, resize) if resize else upright)


def fit(pixels: UInt8[np.ndarray, "H W C"], size: int) -> UInt8[np.ndarray, "size size C"]:
    """Crops decoded pixels to their central square and resizes it to `size` pixels a side."""
    from PIL import Image, ImageOps

    image = Image.fromarray(pixels if pixels.shape[-1] > 1 else pixels[..., 0])
    return np.asarray(ImageOps.fit(image, (size, size))).reshape(size, size, pixels.shape[-1])


def decode_classes(
    open_file: Callable[[], BinaryIO], shown: Path, resize: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "H W"]:
    """Decodes an image of one channel or a palette to its bytes as they are stored; with `resize`, to the nearest.

    Raises:
        BadInput: the file is damaged.
    """
    from PIL import Image

    return _channel(open_file, shown, lambda image: image, resize, Image.Resampling.NEAREST)


def decode_alpha(
    open_file: Callable[[], BinaryIO], shown: Path, resize: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "H W"]:
    """Decodes the alpha channel of an image file, 0 for transparent; 255 everywhere without any.

    Raises:
        BadInput: the file is damaged.
    """
    from PIL import Image

    return _channel(
        open_file, shown, lambda image: image.convert("RGBA").getchannel("A"), resize, Image.Resampling.BICUBIC
    )


def _channel(
    open_file: Callable[[], BinaryIO],
    shown: Path,
    take: Callable[["Image"], "Image"],
    resize: tuple[int, int] | None,
    resampling: "Image.Resampling",
) -> UInt8[np.ndarray, "H W"]:
    """Decodes the one channel that `take` makes of an image, upright, cropped and resized to (width, height)."""
    from PIL import ImageOps

    with _opened(open_file, shown) as image:
        image.load()
        upright = _turned(take(image), _orientation(image))
        return np.asarray(ImageOps.fit(upright, resize, resampling) if resize else upright).astype(np.uint8)


def _turned(image: "Image", orientation: int) -> "Image":
    from PIL import Image

    turns = (
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_270,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_90,
    )
    return image.transpose(turns[orientation - 2]) if orientation > 1 else image


@contextmanager
def _opened(open_file: Callable[[], BinaryIO], shown: Path) -> Iterator["Image"]:
    from PIL import Image, UnidentifiedImageError

    try:
        with open_file() as file, Image.open(file, formats=formats()) as image:
            yield image
    except BadInput:
        raise
    except Image.DecompressionBombError as error:
        raise BadInput(f"{shown} has too many pixels ({error}): make it smaller or remove it") from error
    except UnidentifiedImageError as error:
        raise BadInput(f"{shown} cannot be read as an image (no known format): repair or remove it") from error
    except Exception as error:  # Pillow and the archive readers raise many types
        reason = str(error) or type(error).__name__
        raise BadInput(f"{shown} cannot be read as an image ({reason}): repair or remove it") from error


def _check_values(image: "Image", shown: Path) -> None:
    """Raises `BadInput` for signed, 32-bit and float values, which no fixed rule takes to 8 bits."""
    samples = set(np.atleast_1d(_tag(image, SAMPLE_FORMAT, 1)).tolist())
    deep = image.mode in ("I", "F") and not _is_deep_gray(image)
    if deep or samples - {1, 4} or (image.format == "FITS" and image.mode != "L"):
        kind = "floats" if image.mode == "F" else "signed or 32-bit integers"
        what = f"{shown} holds {kind} ({image.format}, mode {image.mode})"
        raise BadInput(f"{what}: scale it to the range you mean, and save it with 8 or 16 bits, unsigned")
    if "transparency" in image.info and (_is_deep_gray(image) or ";16" in _rawmode(image)):
        raise BadInput(f"{shown} has 16 bits and a transparent color: save it with 8 bits, or without transparency")


def _is_deep_gray(image: "Image") -> bool:
    """Tells gray images of up to 16 unsigned bits; PGM (and PNG, in older versions of Pillow) has them in mode I."""
    return image.mode in SIXTEEN_BITS or (image.mode == "I" and image.format in ("PNG", "PPM"))


def _eight_bits(image: "Image") -> "Image":
    """Converts deep gray images to L, keeping the 8 highest bits, and modes without a path to RGB."""
    if _is_deep_gray(image):
        from PIL import Image

        values = np.asarray(image).astype(np.uint16)
        if _tag(image, PHOTOMETRIC, 1) == 0:
            values = ~values
        bits = int(np.atleast_1d(_tag(image, BITS, 16))[0])  # 12, or 16
        return Image.fromarray((values >> (bits - 8)).astype(np.uint8))
    if image.mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    return image.convert("LA") if image.mode == "La" else image


def _opaque(image: "Image") -> "Image":
    """Composites an image with an alpha channel, or a transparent color, on `BACKGROUND`."""
    if not image.has_transparency_data:
        return image
    from PIL import Image

    return Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image.convert("RGBA"))


def _orientation(image: "Image") -> int:
    """Reads the EXIF orientation, 1 to 8; 1 if there is none or it is damaged.

    Calls the method of the base class, since that of PNG decodes the image first.
    """
    from PIL import Image

    try:
        found = Image.Image.getexif(image).get(ORIENTATION, 1)
    except Exception:  # damaged EXIF raises many types, and the pixels are intact
        return 1
    return found if found in range(1, 9) else 1


def _rawmode(image: "Image") -> str:
    """Returns how the file stores a pixel, such as `RGB;16B`, where Pillow knows; its mode is only RGB."""
    if not getattr(image, "tile", None):
        return ""
    args = image.tile[0].args
    return str(args[0] if isinstance(args, tuple) and args else args)


def _tag(image: "Image", tag: int, default: int) -> int | tuple[int, ...]:
    return image.tag_v2.get(tag, default) if image.format == "TIFF" else default

"""Lays out and writes grids of images. NumPy arrays in, files out; no JAX, no display."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from gan_jax.runs.files import write_atomic

WHITE = 255
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""One color per player, distinguishable by color-blind readers too (Okabe and Ito 2008)."""


def image_grid(
    images: UInt8[np.ndarray, "n h w c"], rows: int, cols: int, pad: int = 2, scale: int = 1
) -> UInt8[np.ndarray, "H W c"]:
    """Lays out images row by row with `pad` white pixels around each; cells without an image stay white.

    A pixel becomes `scale x scale` pixels: H = `rows * (scale * h + pad) + pad`, W likewise.
    """
    n, h, w, c = images.shape
    if n > rows * cols:
        raise ValueError(f"{n} images do not fit into {rows} x {cols} cells")
    cells = np.full((rows * cols, scale * h + pad, scale * w + pad, c), WHITE, np.uint8)
    cells[:n, pad:, pad:] = images.repeat(scale, axis=1).repeat(scale, axis=2)
    picture = cells.reshape(rows, cols, *cells.shape[1:]).swapaxes(1, 2)
    picture = picture.reshape(rows * cells.shape[1], cols * cells.shape[2], c)
    return np.pad(picture, ((0, pad), (0, pad), (0, 0)), constant_values=WHITE)


def film_strips(videos: UInt8[np.ndarray, "n t h w c"], frames: int = 8, pad: int = 2) -> UInt8[np.ndarray, "H W c"]:
    """Lays out videos one below the other, each as a row of at most `frames` of its frames, evenly spaced, in time."""
    n, t = videos.shape[:2]
    shown = np.rint(np.linspace(0, t - 1, min(t, frames))).astype(int)
    return image_grid(videos[:, shown].reshape(-1, *videos.shape[2:]), n, len(shown), pad)


def strips_in_turn(
    columns: Sequence[UInt8[np.ndarray, "n _ h w c"]], frames: int = 8, pad: int = 2
) -> UInt8[np.ndarray, "H W c"]:
    """Lays out the videos of each example as film strips one below the other; shorter ones end in white."""
    videos = np.stack(as_long(columns), axis=1)
    return film_strips(videos.reshape(-1, *videos.shape[2:]), frames, pad)


def as_long(columns: Sequence[UInt8[np.ndarray, "n _ h w c"]]) -> list[UInt8[np.ndarray, "n t h w c"]]:
    """Pads videos with white frames to as many as the longest have."""
    longest = max(videos.shape[1] for videos in columns)
    ends = [((0, 0), (0, longest - videos.shape[1]), (0, 0), (0, 0), (0, 0)) for videos in columns]
    return [np.pad(videos, end, constant_values=WHITE) for videos, end in zip(columns, ends, strict=True)]


def side_by_side(
    columns: Sequence[UInt8[np.ndarray, "n _ _ _"]], rows: int, cols: int, pad: int = 2
) -> UInt8[np.ndarray, "H W C"]:
    """Lays out examples row by row, each of several images side by side: its input, what was made of it, the target.

    Smaller images are enlarged to the size of the largest; in color if any is. Of images with another number of
    channels the first three are shown, the most probable class if there are more than four.
    """
    height, width = (max(column.shape[axis] for column in columns) for axis in (1, 2))
    shown = [_visible(column) for column in columns]
    channels = max(column.shape[-1] for column in shown)
    fitted = [
        np.broadcast_to(_enlarged(column, height, width), (len(column), height, width, channels)) for column in shown
    ]
    flat = np.stack(fitted, axis=1).reshape(-1, height, width, channels)
    return image_grid(flat, rows, cols * len(columns), pad)


def _visible(images: UInt8[np.ndarray, "n h w _"]) -> UInt8[np.ndarray, "n h w _"]:
    """Converts images of any number of channels to gray or color."""
    channels = images.shape[-1]
    if channels > 4:  # one-hot classes
        return np.asarray(_PALETTE, np.uint8)[images.argmax(axis=-1) % len(_PALETTE)]
    return images[..., : 3 if channels >= 3 else 1]  # a further channel is a mask


_PALETTE = [
    tuple(bytes.fromhex(color[1:]))
    for color in (*COLORS, "#000000", "#F0E442", "#888888", "#FFFFFF", "#882255", "#332288")
]


def _enlarged(images: UInt8[np.ndarray, "n _ _ c"], height: int, width: int) -> UInt8[np.ndarray, "n h w c"]:
    """Enlarges images by repeating pixels."""
    rows, cols = (np.arange(to) * has // to for to, has in zip((height, width), images.shape[1:3], strict=True))
    return images[:, rows][:, :, cols]


def save_png(path: Path, picture: UInt8[np.ndarray, "h w c"]) -> None:
    """Writes a gray (`c` = 1), RGB (3) or RGBA (4) picture; equal pictures are equal bytes."""
    png = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(png, "png")
    write_atomic(Path(path), png.getvalue())


def contact_sheet(
    pictures: Sequence[UInt8[np.ndarray, "_ _ _"]], captions: Sequence[str], cols: int, pad: int = 12
) -> UInt8[np.ndarray, "H W 3"]:
    """Lays out gray or color pictures row by row on white, each under its caption.

    Columns are as wide as the widest picture or caption.
    """
    from matplotlib import get_data_path  # imported here because it is slow

    font = ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", 13)
    frames = on_one_canvas([as_image(picture) for picture in pictures])
    w, h = frames[0].size
    line = 20
    width = max([w, *(math.ceil(font.getlength(caption)) for caption in captions)]) + pad
    height = line + h + pad
    rows, cols = math.ceil(len(frames) / cols), min(len(frames), cols)
    sheet = Image.new("RGB", (cols * width + pad, rows * height + pad), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (frame, caption) in enumerate(zip(frames, captions, strict=True)):
        left, top = pad + index % cols * width, pad + index // cols * height
        draw.text((left, top + line - 6), caption, "#404040", font, anchor="ls")
        sheet.paste(frame, (left, top + line))
    return np.array(sheet)


def as_image(picture: UInt8[np.ndarray, "h w _"]) -> Image.Image:
    """Wraps a gray (`c` = 1) or color picture as a Pillow image."""
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def on_one_canvas(images: Sequence[Image.Image]) -> list[Image.Image]:
    """Pads images with white, right and below, to the size of the largest."""
    if not images:
        raise ValueError("no pictures: give at least one")
    size = tuple(max(image.size[axis] for image in images) for axis in (0, 1))
    if all(image.size == size for image in images):
        return list(images)
    sheets = [Image.new(image.mode, size, "white") for image in images]
    for sheet, image in zip(sheets, images, strict=True):
        sheet.paste(image, (0, 0))
    return sheets

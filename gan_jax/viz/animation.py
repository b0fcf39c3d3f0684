"""Animations: the pictures of a run, one after the other."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from gan_jax.runs.files import write_atomic
from gan_jax.viz.images import as_image, on_one_canvas


def save_animation(path: Path, frames: Sequence[UInt8[np.ndarray, "_ _ _"] | Path], milliseconds: int = 100) -> None:
    """Writes a GIF that plays pictures, or the PNG files of a run's `samples/`, over and over.

    Those of a run that grew larger pictures are shown in the corner of the largest.
    The last frame is held for two seconds more. Gray pictures keep their values; color ones share one palette of 256
    colors, without dithering, so that what stands still does not flicker. Equal frames are equal bytes.
    """
    images = on_one_canvas([Image.open(frame) if isinstance(frame, Path) else as_image(frame) for frame in frames])
    if any(image.mode != "L" for image in images):
        images = _with_one_palette([image.convert("RGB") for image in images])
    held = [milliseconds] * (len(images) - 1) + [milliseconds + 2000]
    gif = io.BytesIO()
    images[0].save(gif, "gif", save_all=True, append_images=images[1:], duration=held, loop=0)
    write_atomic(Path(path), gif.getvalue())


def _with_one_palette(images: Sequence[Image.Image]) -> list[Image.Image]:
    """The color images in 256 colors, each pixel in the nearest of them (Pillow's own search takes short cuts)."""
    codes = [np.asarray(image) @ np.array([1 << 16, 1 << 8, 1], np.int32) for image in images]
    counts = np.zeros(1 << 24, np.int64)
    for code in codes:
        values, times = np.unique(code, return_counts=True)
        counts[values] += times
    used = np.flatnonzero(counts)
    colors = np.stack([used >> 16, used >> 8 & 255, used & 255], axis=1)
    # By the root of how many pixels have a color: else the background would take all, or the noise of its edges.
    weighed = colors.repeat(np.sqrt(counts[used]).astype(int), axis=0)
    weighed = Image.fromarray(weighed[None].astype(np.uint8))
    palette = weighed.quantize(256, Image.Quantize.MEDIANCUT, kmeans=1).getpalette()
    entries = np.reshape(palette, (-1, 3))
    nearest = np.zeros(1 << 24, np.uint8)
    for part in np.array_split(np.arange(len(used)), len(used) // 10_000 + 1):  # no more than that in memory
        nearest[used[part]] = np.argmin((entries**2).sum(axis=1) - 2 * colors[part] @ entries.T, axis=1)
    frames = [Image.fromarray(nearest[code]) for code in codes]
    for frame in frames:
        frame.putpalette(palette)
    return frames

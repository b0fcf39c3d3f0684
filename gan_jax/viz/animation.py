"""Animates the pictures of a run."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from gan_jax.runs.files import write_atomic
from gan_jax.viz.images import as_image, on_one_canvas

PIXELS = 1 << 20
"""Number of pixels, drawn from all frames, that determine the palette."""


def save_animation(
    path: Path, frames: Sequence[UInt8[np.ndarray, "_ _ _"] | Path], milliseconds: int = 100, hold: int = 2000
) -> None:
    """Writes a looping GIF of pictures, or of the PNG files in a run's `samples/`. Equal frames are equal bytes.

    Smaller pictures are padded with white to the size of the largest. The last frame is held longer, by `hold`.
    Gray pictures keep their values. Color pictures share one palette of 256 colors and are not dithered, because a
    palette per frame, or dithering, would make still regions flicker.
    """
    images = on_one_canvas([Image.open(frame) if isinstance(frame, Path) else as_image(frame) for frame in frames])
    if any(image.mode != "L" for image in images):
        images = _share_palette([image.convert("RGB") for image in images])
    durations = [milliseconds] * (len(images) - 1) + [milliseconds + hold]
    gif = io.BytesIO()
    images[0].save(gif, "gif", save_all=True, append_images=images[1:], duration=durations, loop=0)
    write_atomic(Path(path), gif.getvalue())


def _share_palette(images: Sequence[Image.Image]) -> list[Image.Image]:
    """Quantizes color images to one palette of 256 colors."""
    pixels = np.concatenate([np.asarray(image).reshape(-1, 3) for image in images])
    if len(pixels) > PIXELS:
        pixels = pixels[np.random.RandomState(0).randint(0, len(pixels), PIXELS)]
    sample = Image.fromarray(pixels[None])
    palette = sample.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1)
    return [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]

"""The frames of videos of one thing that moves: seen where it is, and whether it stays the same."""

import numpy as np
from jaxtyping import Float, Float64, Int, UInt8

from gan_jax.metrics.motion import centers

Videos = UInt8[np.ndarray, "N T H W C"]
Frames = UInt8[np.ndarray, "F _ _ C"]

CHUNK = 256
"""Frames that are cropped at once, which bounds the memory."""


def crops(videos: Videos, size: int, side: int) -> Frames:
    """Cuts squares of `size` pixels around the center of brightness of every frame, as images of `side` pixels a side.

    Pixels lie between those of the frame, bilinear, and are black outside of it; those of a black frame are black. Of
    moving digits, which are MNIST's reduced to 16 pixels, 16 and 28 give back the digit where MNIST has it: in the
    middle of its mass.
    """
    frames = videos.reshape(-1, *videos.shape[2:])
    places = np.nan_to_num(centers(videos)).reshape(-1, 2)
    offsets = ((np.arange(side) + 0.5) / side - 0.5) * size
    cut = np.empty((len(frames), side, side, videos.shape[-1]), np.uint8)
    for start in range(0, len(frames), CHUNK):
        rows = slice(start, start + CHUNK)
        columns, lines = (_between(places[rows, axis, None] + offsets[None], frames.shape[2 - axis]) for axis in (0, 1))
        light = np.einsum("fyh,fhwc->fywc", lines, frames[rows].astype(np.float64), optimize=True)
        cut[rows] = np.rint(np.einsum("fxw,fywc->fyxc", columns, light, optimize=True))
    return cut


def contrasted(images: Frames) -> Frames:
    """Stretches gray levels from a quarter of an image's brightest to three quarters, to black and white.

    The edges of a small image are soft once it is enlarged: MNIST's network, which knows digits with sharp ones, reads
    73 % of moving digits before, 97 % after, of those that it has not seen.
    """
    brightest = np.maximum(images.max(axis=(1, 2, 3), keepdims=True), 1)
    return np.rint(255 * np.clip(2 * (images / brightest) - 0.5, 0, 1)).astype(np.uint8)


def _between(places: Float64[np.ndarray, "F S"], length: int) -> Float64[np.ndarray, "F S L"]:
    """Returns how much of every pixel lies at each place: two neighbors, in proportion."""
    return np.maximum(0, 1 - np.abs(places[..., None] - np.arange(length)[None, None]))


def kept_identity(classes: Int[np.ndarray, "N T"]) -> Float[np.ndarray, " N"]:
    """Computes the share of a video's frames that show its majority: the most frequent class, the lowest of equals."""
    counts = (classes[..., None] == np.arange(classes.max() + 1)[None, None]).sum(axis=1)
    return counts.max(axis=1) / classes.shape[1]

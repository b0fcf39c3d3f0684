"""Draws samples of every kind as one picture, or as the pictures of an animation."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, UInt8

from gan_jax.data.modality import AUDIO, IMAGE, POINTS, VIDEO, Modality, to_uint8
from gan_jax.viz import scatter2d
from gan_jax.viz.images import film_strips, image_grid
from gan_jax.viz.sounds import spectrograms

Picture = UInt8[np.ndarray, "_ _ _"]


def draw_samples(kind: Modality, samples: Float[np.ndarray, "N ..."], rows: int, cols: int) -> Picture:
    """Draws images in a grid, videos as film strips, sounds as spectrograms in a grid, points in the plane.

    Raises:
        KeyError: the samples are of another kind.
    """
    return PICTURES[kind.name](kind, samples, rows, cols)


def draw_frames(
    kind: Modality, samples: Float[np.ndarray, "N T ..."], layout: tuple[int, int] | None = None
) -> list[Picture]:
    """Draws N samples that change in T steps, at each of a kind: one picture of all for every step."""
    rows, cols = layout or near_square(len(samples))
    return [draw_samples(kind, samples[:, i], rows, cols) for i in range(samples.shape[1])]


def near_square(n: int) -> tuple[int, int]:
    """Returns the rows and columns of the smallest nearly square layout of `n` cells."""
    cols = math.ceil(math.sqrt(n))
    return math.ceil(n / cols), cols


def _grid(kind: Modality, images: Float[np.ndarray, "N H W C"], rows: int, cols: int) -> Picture:
    return image_grid(to_uint8(images), rows, cols)


def _strips(kind: Modality, videos: Float[np.ndarray, "N T H W C"], rows: int, cols: int) -> Picture:
    return film_strips(to_uint8(videos))


def _spectrograms(kind: Modality, sounds: Float[np.ndarray, "N T"], rows: int, cols: int) -> Picture:
    return image_grid(spectrograms(sounds, kind.rate), rows, cols)


def _plane(kind: Modality, points: Float[np.ndarray, "N D"], rows: int, cols: int) -> Picture:
    xy = np.pad(points, ((0, 0), (0, 1)))[:, :2]  # single values lie on a line
    return scatter2d.scatter(xy[:0], xy, extent=scatter2d.extent_of(xy))


PICTURES: Mapping[str, Callable[..., Picture]] = {
    IMAGE.name: _grid,
    VIDEO.name: _strips,
    AUDIO: _spectrograms,
    POINTS.name: _plane,
}
"""`draw(kind, samples, rows, cols)` by the name of the kind."""

"""Draws samples of every kind as one picture, or as the frames of an animation."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, UInt8

from gan_jax.data.modality import AUDIO, IMAGE, POINTS, Modality, to_uint8
from gan_jax.viz import scatter2d
from gan_jax.viz.images import image_grid
from gan_jax.viz.sounds import spectrograms

Picture = UInt8[np.ndarray, "_ _ _"]


def draw_samples(kind: Modality, samples: Float[np.ndarray, "N ..."], rows: int, cols: int) -> Picture:
    """Draws images in a grid, sounds as spectrograms in a grid, points in the plane of their first two values.

    Raises KeyError for another kind.
    """
    return PICTURES[kind.name](kind, samples, rows, cols)


def draw_frames(kind: Modality, samples: Float[np.ndarray, "N T ..."]) -> list[Picture]:
    """Draws N samples that change in T steps: one picture of all for every step."""
    return [draw_samples(kind, samples[:, i], *near_square(len(samples))) for i in range(samples.shape[1])]


def near_square(n: int) -> tuple[int, int]:
    """Returns the rows and columns of the smallest nearly square layout of `n` cells."""
    cols = math.ceil(math.sqrt(n))
    return math.ceil(n / cols), cols


def _grid(kind: Modality, images: Float[np.ndarray, "N H W C"], rows: int, cols: int) -> Picture:
    return image_grid(to_uint8(images), rows, cols)


def _spectrograms(kind: Modality, sounds: Float[np.ndarray, "N T"], rows: int, cols: int) -> Picture:
    return image_grid(spectrograms(sounds, kind.rate), rows, cols)


def _plane(kind: Modality, points: Float[np.ndarray, "N D"], rows: int, cols: int) -> Picture:
    xy = np.pad(points, ((0, 0), (0, 1)))[:, :2]  # single values lie on a line
    return scatter2d.scatter(xy[:0], xy, extent=scatter2d.extent_of(xy))


PICTURES: Mapping[str, Callable[..., Picture]] = {IMAGE.name: _grid, AUDIO: _spectrograms, POINTS.name: _plane}
"""`draw(kind, samples, rows, cols)` by the name of the kind."""

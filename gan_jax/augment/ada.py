"""The augmentations of ADA: changes of geometry and color, each with probability p.

Karras et al. 2020, "Training generative adversarial networks with limited data", appendix B, the pipeline `bgc`,
https://arxiv.org/abs/2006.06676; strengths are those of the authors' program. As there, all changes of the geometry
are one map, so that pixels are interpolated once; unlike there, nothing filters them against aliasing.

Generators do not learn these augmentations while p is below about 0.8 (sec. 2.3).
"""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.augment.affine import (
    ColorMaps,
    Maps,
    PerExample,
    brightness,
    linear,
    recolor,
    rotation,
    scaling,
    translation,
    warp,
)
from gan_jax.augment.transform import ImagesOrVideos, check_images_or_videos
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import normal, split, uniform

Probability = Float[Array, ""]


def bgc(x: ImagesOrVideos, keys: Keys, p: Probability) -> ImagesOrVideos:
    """Changes the geometry of images or videos in [-1, 1] and then their colors, each change with probability `p`.

    Raises:
        BadInput: the examples are neither.
    """
    check_images_or_videos(x, "ada")
    geometry, color = split(keys, 2)
    return recolor(warp(x, geometry_maps(geometry, p, x.shape[-3:-1])), color_maps(color, p))


class Change(NamedTuple):
    """A random map: the distribution of its parameters, one or two, the map of these, and its probability."""

    draw: Callable[[Keys], PerExample | tuple[PerExample, PerExample]]
    map: Callable[[Any], Maps | ColorMaps]
    p: Probability


def geometry_maps(keys: Keys, p: Probability, size: tuple[int, int]) -> Maps:
    """Draws maps from the coordinates of an output, height and width `size`, to those of its input.

    The product of: a mirror; quarter turns; a move by whole pixels, up to 1/8 of each side; a scale 2^N(0, 0.2^2); a
    turn; a stretch 2^N(0, 0.2^2) of x against y; a turn; a move by N(0, 1/8^2) of each side. Of the two turns at least
    one is made with probability p.
    """
    sides = size[::-1]
    one_of_two = 1 - jnp.sqrt(1 - p)

    def moved(shares: Iterable[PerExample]) -> Maps:
        return translation(*(side * share for side, share in zip(sides, shares, strict=True)))

    def moved_by_pixels(uniforms: Iterable[PerExample]) -> Maps:
        return translation(*(jnp.round(side * (u / 4 - 1 / 8)) for side, u in zip(sides, uniforms, strict=True)))

    return product(
        keys,
        Change(uniform, lambda u: scaling(1 - 2 * jnp.floor(2 * u), jnp.ones_like(u)), p),
        Change(uniform, lambda u: rotation(np.pi / 2 * jnp.floor(4 * u)), p),
        Change(two(uniform), moved_by_pixels, p),
        Change(gauss, lambda n: scaling(jnp.exp2(0.2 * n), jnp.exp2(0.2 * n)), p),
        Change(uniform, lambda u: rotation(np.pi * (2 * u - 1)), one_of_two),
        Change(gauss, lambda n: scaling(jnp.exp2(0.2 * n), jnp.exp2(-0.2 * n)), p),
        Change(uniform, lambda u: rotation(np.pi * (2 * u - 1)), one_of_two),
        Change(two(gauss), lambda n: moved(each / 8 for each in n), p),
    )


def color_maps(keys: Keys, p: Probability) -> ColorMaps:
    """Draws maps of colors.

    The product of: brightness N(0, 0.2^2); contrast 2^N(0, 0.5^2); an inversion of the luma; a turn of the hue;
    saturation 2^N(0, 1).
    """
    gray = np.full((1, 3, 3), 1 / 3, np.float32)  # projects on the axis of grays
    color = np.eye(3, dtype=np.float32)[None] - gray
    quarter = np.cross(np.eye(3), np.full(3, 3**-0.5)).astype(np.float32)[None]  # turns colors by 90 degrees around it
    return product(
        keys,
        Change(gauss, lambda n: brightness(0.2 * n), p),
        Change(gauss, lambda n: linear(_by(jnp.exp2(0.5 * n)) * (gray + color)), p),
        Change(uniform, lambda u: linear(color + _by(1 - 2 * jnp.floor(2 * u)) * gray), p),
        Change(
            uniform,
            lambda u: linear(gray + _by(jnp.cos(2 * np.pi * u)) * color + _by(jnp.sin(2 * np.pi * u)) * quarter),
            p,
        ),
        Change(gauss, lambda n: linear(gray + _by(jnp.exp2(n)) * color), p),
    )


def product(keys: Keys, *changes: Change) -> Any:
    """Draws every change, each with its probability, and multiplies their maps."""

    def drawn(change: Change, keys: Keys) -> Any:
        which, own = split(keys, 2)
        maps = change.map(change.draw(own))
        return jnp.where(_by(uniform(which) < change.p), maps, jnp.eye(maps.shape[-1])[None])

    return reduce(jnp.matmul, map(drawn, changes, split(keys, len(changes))))


def gauss(keys: Keys) -> PerExample:
    """Draws from the standard normal distribution."""
    return normal(keys, 1)[:, 0]


def two(draw: Callable[[Keys], PerExample]) -> Callable[[Keys], tuple[PerExample, PerExample]]:
    """Makes the function that draws twice, with keys of its own each time."""
    return lambda keys: tuple(map(draw, split(keys, 2)))


def _by(values: Array) -> Array:
    """Broadcasts a value per example over matrices."""
    return values[:, None, None]

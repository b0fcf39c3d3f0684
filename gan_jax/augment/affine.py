"""Affine maps of the pixels and of the colors of images, one for every image, or for all frames of a video."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.augment.transform import ImagesOrVideos, same_for_frames

Images = Float[Array, "B H W C"]

PerExample = Float[Array, " B"]

Maps = Float[Array, "B 3 3"]
"""Affine maps of homogeneous coordinates (x, y, 1), in pixels right of and below the center."""

ColorMaps = Float[Array, "B 4 4"]
"""Affine maps of homogeneous colors (r, g, b, 1)."""


def scaling(x: PerExample, y: PerExample) -> Maps:
    """Makes the maps that scale both coordinates."""
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    return _rows([x, zero, zero], [zero, y, zero], [zero, zero, one])


def rotation(angle: PerExample) -> Maps:
    """Makes the maps that turn by an angle, in radians."""
    zero, one, cos, sin = jnp.zeros_like(angle), jnp.ones_like(angle), jnp.cos(angle), jnp.sin(angle)
    return _rows([cos, -sin, zero], [sin, cos, zero], [zero, zero, one])


def translation(x: PerExample, y: PerExample) -> Maps:
    """Makes the maps that move by (x, y) pixels."""
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    return _rows([one, zero, x], [zero, one, y], [zero, zero, one])


def _rows(*rows: list[PerExample]) -> Maps:
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


@same_for_frames
def warp(x: Images, maps: Maps) -> Images:
    """Computes images whose pixel at c, from the center, is that of `x` at `maps` c.

    Interpolated between the four nearest pixels; outside, the image is mirrored at the centers of its outer pixels.
    """
    height, width = x.shape[1:3]
    center = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32) - center
    at = jnp.einsum("bij,hwj->ibhw", maps[:, :2, :2], grid) + (maps[:, :2, 2] + center[None]).T[:, :, None, None]
    column, row = _mirrored(at[0], width), _mirrored(at[1], height)
    left, top = jnp.floor(column), jnp.floor(row)
    flat = x.reshape(x.shape[0], height * width, -1)

    def pixels(column: Float[Array, "B H W"], row: Float[Array, "B H W"]) -> Images:
        index = jnp.minimum(row, height - 1) * width + jnp.minimum(column, width - 1)
        return jax.vmap(lambda image, index: image[index])(flat, index.astype(jnp.int32))

    right, below = ((share - floor)[..., None] for share, floor in ((column, left), (row, top)))
    upper = (1 - right) * pixels(left, top) + right * pixels(left + 1, top)
    lower = (1 - right) * pixels(left, top + 1) + right * pixels(left + 1, top + 1)
    return (1 - below) * upper + below * lower


def _mirrored(at: Float[Array, "B H W"], size: int) -> Float[Array, "B H W"]:
    """Maps coordinates to [0, size - 1] as in two mirrors."""
    there_and_back = max(1, 2 * (size - 1))
    once = jnp.abs(at) % there_and_back
    return jnp.minimum(once, there_and_back - once) if size > 1 else jnp.zeros_like(at)


def brightness(change: PerExample) -> ColorMaps:
    """Makes the maps that add to every channel."""
    eye, shift = np.eye(4, dtype=np.float32)[None], np.zeros((1, 4, 4), np.float32)
    shift[:, :3, 3] = 1
    return eye + change[:, None, None] * shift


def linear(maps: Float[Array, "B 3 3"]) -> ColorMaps:
    """Makes the maps of colors that are linear."""
    return jnp.pad(maps, ((0, 0), (0, 1), (0, 1))).at[:, 3, 3].set(1)


def recolor(x: ImagesOrVideos, maps: ColorMaps) -> ImagesOrVideos:
    """Applies maps to colors; to gray images the gray value of what becomes of a gray color."""
    matrix, shift = maps[:, :3, :3], maps[:, :3, 3]
    if x.shape[-1] == 1:
        matrix, shift = matrix.sum(axis=2).mean(axis=1)[:, None, None], shift.mean(axis=1)[:, None]
    return jnp.einsum("bij,b...j->b...i", matrix, x) + jnp.expand_dims(shift, tuple(range(1, x.ndim - 1)))

"""Resizing as TensorFlow 1 did it, on which published scores rest."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def bilinear_tf1(images: Float[Array, "B H W C"], height: int, width: int) -> Float[Array, "B height width C"]:
    """TensorFlow 1's `resize_bilinear(align_corners=False)`: no antialiasing, and no half-pixel centers.

    Pixel i of n reads position i m / n of m, between floor(i m / n) and the pixel after it, or the last pixel again.
    Smaller images therefore skip pixels, and larger ones lean to the upper left: Parmar et al. 2022, "On aliased
    resizing and surprising subtleties in GAN evaluation", show how much that matters to scores.
    """
    return _along(1, height, _along(2, width, images))


def _along(axis: int, size: int, x: Float[Array, "B H W C"]) -> Float[Array, "B _ _ C"]:
    last = x.shape[axis] - 1
    position = np.arange(size, dtype=np.float32) * np.float32(x.shape[axis] / size)  # in float32, as it was there
    before = np.minimum(position.astype(int), last)  # rounded up, a position may reach the end
    share = np.expand_dims(position - before.astype(np.float32), [a for a in range(4) if a != axis])
    near, far = (jnp.take(x, at, axis) for at in (before, np.minimum(before + 1, last)))
    return near + (far - near) * share

"""The image resizing of TensorFlow 1, which published scores use."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def bilinear_tf1(images: Float[Array, "B H W C"], height: int, width: int) -> Float[Array, "B height width C"]:
    """Resizes as TensorFlow 1's `resize_bilinear(align_corners=False)`: no antialiasing, no half-pixel centers.

    For sizes m to n, output pixel i interpolates linearly at input position i m / n; beyond the last pixel the last
    one repeats. Downsampling therefore skips pixels, and upsampling shifts the image to the upper left. For the effect
    on scores see Parmar et al. 2022, "On aliased resizing and surprising subtleties in GAN evaluation",
    https://arxiv.org/abs/2104.11222.
    """
    return _along(1, height, _along(2, width, images))


def _along(axis: int, size: int, x: Float[Array, "B H W C"]) -> Float[Array, "B _ _ C"]:
    last = x.shape[axis] - 1
    position = np.arange(size, dtype=np.float32) * np.float32(x.shape[axis] / size)  # in float32, as in TensorFlow
    before = np.minimum(position.astype(int), last)  # rounding may put a position past the end
    share = np.expand_dims(position - before.astype(np.float32), [a for a in range(4) if a != axis])
    near, far = (jnp.take(x, at, axis) for at in (before, np.minimum(before + 1, last)))
    return near + (far - near) * share

"""The Gaussian pyramid, and the `up` that turns it into a Laplacian one: image - up(down(image)).

Burt and Adelson 1983, "The Laplacian pyramid as a compact image code", with their free parameter a = 3/8: the kernel is
binomial, [1 4 6 4 1] / 16. Borders are extended by their last pixel (our choice).
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.errors import BadInput

Images = Float[Array, "B H W C"]
AnySize = Float[Array, "B _ _ C"]

KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def down(x: Images) -> AnySize:
    """Halves images to `[B, H / 2, W / 2, C]`: blurs, then takes every second pixel, from the first.

    Raises:
        BadInput: the height or width is odd.
    """
    _, height, width, _ = x.shape
    if height % 2 or width % 2:
        raise BadInput(f"images of {height}x{width} cannot be halved: give images of even height and width")
    return _halve(_halve(x, 1), 2)


def up(x: Images) -> AnySize:
    """Doubles images to `[B, 2 H, 2 W, C]`: inserts zeros between the pixels, then blurs and multiplies by 4."""
    return _double(_double(x, 1), 2)


def gaussian_pyramid(x: Images, levels: int) -> tuple[AnySize, ...]:
    """Halves the images `levels` times; returns all sizes coarse to fine, `x` last.

    Raises:
        BadInput: a height or width is odd before the last halving.
    """
    images = [x]
    for _ in range(levels):
        images.append(down(images[-1]))
    return tuple(reversed(images))


def _halve(x: Images, axis: int) -> AnySize:
    x = jnp.moveaxis(x, axis, -1)
    n = x.shape[-1]
    x = jnp.pad(x, [(0, 0)] * 3 + [(2, 2)], mode="edge")
    return jnp.moveaxis(sum(w * x[..., i : i + n : 2] for i, w in enumerate(KERNEL)), -1, axis)


def _double(x: Images, axis: int) -> AnySize:
    x = jnp.moveaxis(x, axis, -1)
    padded = jnp.pad(x, [(0, 0)] * 3 + [(1, 1)], mode="edge")
    before, after = padded[..., :-2], padded[..., 2:]
    w = [2 * weight for weight in KERNEL]  # half of the pixels under the kernel are zeros
    even = w[0] * before + w[2] * x + w[4] * after
    odd = w[1] * x + w[3] * after
    return jnp.moveaxis(jnp.stack([even, odd], axis=-1).reshape(*x.shape[:-1], -1), -1, axis)

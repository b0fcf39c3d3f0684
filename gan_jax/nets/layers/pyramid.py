"""The Laplacian pyramid: an image as a small one, and what every doubling of its size leaves out.

Burt and Adelson 1983, "The Laplacian pyramid as a compact image code". Their generating kernel has one free number a;
a = 3/8 makes it binomial, [1 4 6 4 1] / 16. Beyond its border an image goes on as its last pixel (our choice).
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.errors import BadInput

Images = Float[Array, "B H W C"]
OfAnySize = Float[Array, "B _ _ C"]

KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def down(x: Images) -> OfAnySize:
    """Images of half the size, `[B, H / 2, W / 2, C]`: blurred, then every second pixel from the first.

    Raises:
        BadInput: the height or width is odd.
    """
    _, height, width, _ = x.shape
    if height % 2 or width % 2:
        raise BadInput(f"images of {height}x{width} cannot be halved: give images of even height and width")
    return _halve(_halve(x, 1), 2)


def up(x: Images) -> OfAnySize:
    """Images of double the size, `[B, 2 H, 2 W, C]`: zeros between the pixels, then four times the blur."""
    return _double(_double(x, 1), 2)


def scales(x: Images, levels: int) -> tuple[OfAnySize, ...]:
    """The Gaussian pyramid: the images halved `levels` times, coarse to fine, the last the images themselves.

    Raises:
        BadInput: a height or width is odd before the last halving.
    """
    images = [x]
    for _ in range(levels):
        images.append(down(images[-1]))
    return tuple(reversed(images))


def pyramid(x: Images, levels: int) -> tuple[OfAnySize, ...]:
    """The coarsest image, then the residuals h = I - up(the image half as large), coarse to fine: `levels` + 1 parts.

    Raises:
        BadInput: as `scales`.
    """
    coarsest, *finer = images = scales(x, levels)
    return coarsest, *(image - up(coarse) for coarse, image in zip(images, finer, strict=False))


def reconstruct(parts: tuple[OfAnySize, ...]) -> OfAnySize:
    """The images of which `parts` is the pyramid."""
    x, *residuals = parts
    for residual in residuals:
        x = up(x) + residual
    return x


def _halve(x: Images, axis: int) -> OfAnySize:
    x = jnp.moveaxis(x, axis, -1)
    n = x.shape[-1]
    x = jnp.pad(x, [(0, 0)] * 3 + [(2, 2)], mode="edge")
    return jnp.moveaxis(sum(w * x[..., i : i + n : 2] for i, w in enumerate(KERNEL)), -1, axis)


def _double(x: Images, axis: int) -> OfAnySize:
    x = jnp.moveaxis(x, axis, -1)
    padded = jnp.pad(x, [(0, 0)] * 3 + [(1, 1)], mode="edge")
    before, after = padded[..., :-2], padded[..., 2:]
    w = [2 * weight for weight in KERNEL]  # of the pixels that each output sees, half are zeros
    even = w[0] * before + w[2] * x + w[4] * after
    odd = w[1] * x + w[3] * after
    return jnp.moveaxis(jnp.stack([even, odd], axis=-1).reshape(*x.shape[:-1], -1), -1, axis)

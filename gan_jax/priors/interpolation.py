"""Spherical interpolation between latents; the straight line leaves the shell where a Gaussian prior has its mass.

References:
    Shoemake (1985), Animating rotation with quaternion curves. https://doi.org/10.1145/325334.325242
    White (2016), Sampling generative networks. https://arxiv.org/abs/1609.04468
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def slerp(
    a: Float[Array, "B Z"], b: Float[Array, "B Z"], t: float | Float[Array, ""] | Float[Array, " B"]
) -> Float[Array, "B Z"]:
    """Interpolates from `a` (t = 0) to `b` (t = 1) along the great circle, pair by pair; the norm changes linearly.

    For equal norms this is the slerp of White (2016, sec. 2.1). Opposite vectors are joined by an arbitrary great
    circle; equal vectors stay.
    """
    t = jnp.broadcast_to(jnp.asarray(t, a.dtype), a.shape[:1])
    return jax.vmap(_along)(a, b, t)


def _along(a: Float[Array, " Z"], b: Float[Array, " Z"], t: Float[Array, ""]) -> Float[Array, " Z"]:
    u, v = _unit(a), _unit(b)
    # Kahan's angle: unlike arccos of the product it is exact near 0 and near pi.
    angle = 2 * jnp.arctan2(jnp.linalg.norm(u - v), jnp.linalg.norm(u + v))
    # Perpendicular to u towards v; if v is parallel to u, towards the coordinate axis farthest from u.
    away = v - jnp.dot(u, v) * u
    axis = jnp.zeros_like(u).at[jnp.argmin(jnp.abs(u))].set(1.0)
    w = _unit(jnp.where(jnp.linalg.norm(away) > 16 * jnp.finfo(a.dtype).eps, away, axis))
    w = _unit(w - jnp.dot(u, w) * u)  # again: for small `away`, rounding leaves a component along u
    length = (1 - t) * jnp.linalg.norm(a) + t * jnp.linalg.norm(b)
    return length * (jnp.cos(t * angle) * u + jnp.sin(t * angle) * w)


def _unit(x: Float[Array, " Z"]) -> Float[Array, " Z"]:
    """Normalizes `x`; zero stays zero."""
    length = jnp.linalg.norm(x)
    return x / jnp.where(length > 0, length, 1)

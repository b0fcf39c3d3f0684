"""Constraints on parameters: orthogonality as a penalty, clipping as an optimizer transformation."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from gan_jax.engine.game import Params


def orthogonal(params: Params) -> Float[Array, ""]:
    """Computes `|W^T W * (1 - I)|^2` (Frobenius), summed over all arrays of rank 2 or more as matrices `W [in, out]`.

    The norm of a filter is free; two filters should be orthogonal.

    Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis", eq. 3,
    https://arxiv.org/abs/1809.11096; with the diagonal, Brock et al. 2017, "Neural photo editing with introspective
    adversarial networks", https://arxiv.org/abs/1609.07093.
    """
    return sum((_overlap(leaf) for leaf in jax.tree.leaves(params) if leaf.ndim >= 2), jnp.zeros(()))


def _overlap(kernel: Float[Array, "... F"]) -> Float[Array, ""]:
    w = kernel.reshape(-1, kernel.shape[-1]).astype(jnp.float32)
    return jnp.sum(jnp.square((w.T @ w) * (1 - jnp.eye(w.shape[1], dtype=w.dtype))))


def clip_weights(limit: float) -> optax.GradientTransformation:
    """Clips parameters to `[-limit, limit]`: `optax.chain(optax.rmsprop(5e-5), clip_weights(0.01))`.

    Must come last in the chain, since it changes the final update. `optax.projections` map parameters instead of
    updates; adding the difference to the old parameters may round to just outside the limits.

    Arjovsky et al. 2017, "Wasserstein GAN", Algorithm 1, https://arxiv.org/abs/1701.07875.
    """

    def shorten(update: Array, param: Array) -> Array:
        within = jnp.clip(param + update, -limit, limit) - param
        # The caller adds the update again, which may round to just outside.
        outside = jnp.abs(param + within) > limit
        return jnp.where(outside, jnp.nextafter(within, -jnp.sign(param + within) * jnp.inf), within)

    return optax.stateless(lambda updates, params: jax.tree.map(shorten, updates, params))

"""What restrains the parameters themselves: orthogonality as a penalty, clipping as part of the optimizer."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from gan_jax.engine.game import Params


def orthogonal(params: Params) -> Float[Array, ""]:
    """`|W^T W * (1 - I)|^2` (Frobenius), summed over every array of rank 2 or more, as a matrix `W [in, out]`.

    Filters may have any length but should not overlap. Brock et al. 2019, "Large scale GAN training for high fidelity
    natural image synthesis", eq. 3; with the diagonal, Brock et al. 2017, "Neural photo editing with introspective
    adversarial networks".
    """
    return sum((_overlap(leaf) for leaf in jax.tree.leaves(params) if leaf.ndim >= 2), jnp.zeros(()))


def _overlap(kernel: Float[Array, "... F"]) -> Float[Array, ""]:
    w = kernel.reshape(-1, kernel.shape[-1]).astype(jnp.float32)
    return jnp.sum(jnp.square((w.T @ w) * (1 - jnp.eye(w.shape[1]))))


def clip_weights(limit: float) -> optax.GradientTransformation:
    """Keeps parameters within `[-limit, limit]`: `optax.chain(optax.rmsprop(5e-5), clip_weights(0.01))`.

    It comes last in the chain, for it shortens the update that would leave. Arjovsky et al. 2017, "Wasserstein GAN",
    Algorithm 1.
    """

    def shorten(update: Array, param: Array) -> Array:
        within = jnp.clip(param + update, -limit, limit) - param
        # The optimizer's caller adds again, which may round to just outside.
        outside = jnp.abs(param + within) > limit
        return jnp.where(outside, jnp.nextafter(within, -jnp.sign(param + within) * jnp.inf), within)

    return optax.stateless(lambda updates, params: jax.tree.map(shorten, updates, params))

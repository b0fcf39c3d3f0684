"""Noise on what the discriminator sees."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys


def instance_noise(x: Float[Array, "B ..."], keys: Keys, std: float | Float[Array, ""]) -> Float[Array, "B ..."]:
    """`x` plus Gaussian noise of standard deviation `std`, so that real and fake have support in common.

    It is meant for real and fake alike, with `std` brought to 0 in the course of training.

    Sonderby et al. 2017, "Amortised MAP inference for image super-resolution"; Arjovsky and Bottou 2017, "Towards
    principled methods for training generative adversarial networks", sec. 3.
    """
    noise = jax.vmap(lambda key: jax.random.normal(key, x.shape[1:], x.dtype))(keys)
    return x + jnp.asarray(std, x.dtype) * noise

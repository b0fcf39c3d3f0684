"""Noise on the discriminator's input."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys


def instance_noise(x: Float[Array, "B ..."], keys: Keys, std: float | Float[Array, ""]) -> Float[Array, "B ..."]:
    """Adds Gaussian noise of standard deviation `std` to `x`, so that real and fake distributions overlap.

    Apply it to real and fake examples alike, and anneal `std` to 0 during training.

    Sonderby et al. 2017, "Amortised MAP inference for image super-resolution", https://arxiv.org/abs/1610.04490;
    Arjovsky and Bottou 2017, "Towards principled methods for training generative adversarial networks", sec. 3,
    https://arxiv.org/abs/1701.04862.
    """
    noise = jax.vmap(lambda key: jax.random.normal(key, x.shape[1:], x.dtype))(keys)
    return x + jnp.asarray(std, x.dtype) * noise

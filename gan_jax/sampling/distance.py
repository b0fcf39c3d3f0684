"""The distance of two images, in units of that of two samples: 0 if they are equal, 1 as far as any other sample."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.sampling.sampler import CHUNK

Samples = Float[np.ndarray, "N ..."]

Embed = Callable[[Float[Array, "B ..."]], Float[Array, "B D"]]
"""Maps samples in [-1, 1] to vectors, whose squared distance is that of the samples."""


def in_units(features: Embed, samples: Samples) -> Embed:
    """Scales features so that two of `samples` have the mean squared distance 1."""
    variance = jnp.sum(jnp.var(embed_all(features, samples), axis=0))
    scale = jax.lax.rsqrt(jnp.maximum(2 * variance, 1e-12))
    return lambda x: scale * features(x)


def mean_of(*embeds: Embed) -> Embed:
    """Returns the embedding whose squared distance is the mean of those of others."""
    return lambda x: jnp.concatenate([embed(x) for embed in embeds], axis=1) / jnp.sqrt(jnp.float32(len(embeds)))


def pixels(x: Float[Array, "B ..."]) -> Float[Array, "B D"]:
    """Flattens samples."""
    return x.reshape(x.shape[0], -1)


def embed_all(embed: Embed, samples: Samples) -> Float[Array, "N D"]:
    """Embeds any number of samples."""
    each = jax.jit(lambda x: embed(x[None])[0])
    return jax.lax.map(each, jnp.asarray(samples), batch_size=CHUNK)


def squared_distances(a: Float[Array, "A D"], b: Float[Array, "B D"]) -> Float[Array, "A B"]:
    """Computes the squared distance of every pair."""
    squares = jnp.sum(jnp.square(a), axis=1)[:, None] + jnp.sum(jnp.square(b), axis=1)[None]
    return jnp.maximum(squares - 2 * a @ b.T, 0)

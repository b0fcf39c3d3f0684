"""A discriminator that sees more than one example at a time, and so a generator that repeats itself."""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather, pmean

Features = Float[Array, "B *space C"]
Wider = Float[Array, "B *space D"]


class MinibatchDiscrimination(nn.Module):
    """Appends `kernels` features that say how close an example is to all others of the whole batch.

    A learned linear map makes a matrix `M [kernels, size]` of every example, and feature k of example i is the sum over
    all examples j, itself among them, of `exp(-|M_i[k] - M_j[k]|)`, the distance being L1.

    Salimans et al. 2016, "Improved techniques for training GANs", sec. 3.2.
    """

    kernels: int = 100
    size: int = 5

    @nn.compact
    def __call__(self, x: Features) -> Wider:
        """`[B, *space, C]` to `[B, *space, C + kernels]`; every position of an image is given the same features."""
        flat = x.reshape(x.shape[0], -1)
        rows = nn.Dense(self.kernels * self.size, use_bias=False)(flat).reshape(-1, self.kernels, self.size)
        distances = jnp.sum(jnp.abs(rows[:, None] - all_gather(rows)[None]), axis=-1)
        return _append(x, jnp.sum(jnp.exp(-distances), axis=1))


class MinibatchStdDev(nn.Module):
    """Appends one feature, the same for all: how much the whole batch varies.

    It is the standard deviation of every feature over the batch, averaged over the features.

    Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation", sec. 3.
    """

    def __call__(self, x: Features) -> Wider:
        """`[B, *space, C]` to `[B, *space, C + 1]`."""
        wide = x.astype(jnp.float32)
        mean = pmean(jnp.mean(wide, axis=0, keepdims=True))
        var = pmean(jnp.mean(jnp.square(wide - mean), axis=0))
        # Without the small number a batch of equal examples would have no gradient.
        std = jnp.mean(jnp.sqrt(var + 1e-8))
        return _append(x, jnp.broadcast_to(std, (x.shape[0], 1)))


def _append(x: Features, features: Float[Array, "B F"]) -> Wider:
    """The features of every example beside those it has, at every position."""
    b, *space, _ = x.shape
    maps = jnp.broadcast_to(features.reshape(b, *(1,) * len(space), -1), (b, *space, features.shape[-1]))
    return jnp.concatenate([x, maps.astype(x.dtype)], axis=-1)

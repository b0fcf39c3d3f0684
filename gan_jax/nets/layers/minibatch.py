"""Layers that add features of the whole batch, by which a discriminator detects mode collapse."""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather, pmean
from gan_jax.errors import BadInput

Features = Float[Array, "B *space C"]
Wider = Float[Array, "B *space D"]


class MinibatchDiscrimination(nn.Module):
    """Appends `kernels` features that measure how close an example is to all others of the global batch.

    A learned linear map gives every example a matrix `M [kernels, size]`; feature k of example i is the sum over all
    examples j (i included) of `exp(-||M_i[k] - M_j[k]||_1)`.

    Salimans et al. 2016, "Improved techniques for training GANs", sec. 3.2 (https://arxiv.org/abs/1606.03498).
    """

    kernels: int = 100
    size: int = 5

    @nn.compact
    def __call__(self, x: Features) -> Wider:
        """Maps `[B, *space, C]` to `[B, *space, C + kernels]`, with equal features at all positions."""
        flat = x.reshape(x.shape[0], -1)
        rows = nn.Dense(self.kernels * self.size, use_bias=False)(flat).reshape(-1, self.kernels, self.size)
        distances = jnp.sum(jnp.abs(rows[:, None] - all_gather(rows)[None]), axis=-1)
        return _append(x, jnp.sum(jnp.exp(-distances), axis=1))


class MinibatchStdDev(nn.Module):
    """Appends one feature: the standard deviation over a group of examples, averaged over all inputs of an example.

    A group is `group` consecutive examples; with 0 it is the global batch. The authors' program has groups of 4.

    Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation", sec. 3
    (https://arxiv.org/abs/1710.10196).
    """

    group: int = 0

    def __call__(self, x: Features) -> Wider:
        """Maps `[B, *space, C]` to `[B, *space, C + 1]`.

        Raises:
            BadInput: B, on every device its share of the batch, is no multiple of `group`.
        """
        if self.group and x.shape[0] % self.group:
            raise BadInput(f"a batch of {x.shape[0]} has no groups of {self.group}: give a multiple of {self.group}")
        over_devices = (lambda mean: mean) if self.group else pmean
        wide = x.astype(jnp.float32).reshape(-1, self.group or x.shape[0], *x.shape[1:])
        mean = over_devices(jnp.mean(wide, axis=1, keepdims=True))
        var = over_devices(jnp.mean(jnp.square(wide - mean), axis=1))
        # The square root has no finite gradient at 0, the variance of equal examples.
        std = jnp.mean(jnp.sqrt(var + 1e-8), axis=range(1, var.ndim))
        return _append(x, jnp.repeat(std, wide.shape[1])[:, None])


def _append(x: Features, features: Float[Array, "B F"]) -> Wider:
    """Appends features `[B, F]` to the channels, at every position."""
    b, *space, _ = x.shape
    maps = jnp.broadcast_to(features.reshape(b, *(1,) * len(space), -1), (b, *space, features.shape[-1]))
    return jnp.concatenate([x, maps.astype(x.dtype)], axis=-1)

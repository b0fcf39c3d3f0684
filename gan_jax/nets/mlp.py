"""The fully connected networks of the classic Keras GAN tutorials, for small images.

Kernels are initialized with flax's default, `lecun_normal`; the tutorials' `glorot_uniform` (Keras) keeps the scale of
the activations as well.
"""

import math

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.normalization import BatchNorm


class Generator(nn.Module):
    """`z [B, Z]` to images or videos `[B, *shape]` in [-1, 1].

    Per width Dense, LeakyReLU 0.2, batch norm; then Dense, tanh.
    """

    shape: tuple[int, ...] = (28, 28, 1)
    widths: tuple[int, ...] = (256, 512, 1024)
    momentum: float = 0.7
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B ..."]:
        """Generates images or videos."""
        x = z
        for width in self.widths:
            x = nn.leaky_relu(nn.Dense(width, dtype=self.dtype)(x), 0.2)
            x = BatchNorm(momentum=self.momentum)(x)
        x = nn.Dense(math.prod(self.shape), dtype=self.dtype)(x)
        return nn.tanh(x.astype(jnp.float32)).reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` or points `[B, D]` to scores `[B]`: flat, per width Dense and LeakyReLU 0.2, one logit."""

    widths: tuple[int, ...] = (512, 256)
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "B ..."], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores examples; `keys` are ignored."""
        x = x.reshape(x.shape[0], -1)
        for width in self.widths:
            x = nn.leaky_relu(nn.Dense(width, dtype=self.dtype)(x), 0.2)
        return nn.Dense(1)(x.astype(jnp.float32)).squeeze(-1)

"""The convolutional GAN of the classic tutorials, and with `norm` the generator of the paper they simplify.

Radford et al. 2016, "Unsupervised representation learning with deep convolutional generative adversarial networks":
strided convolutions instead of pooling, batch norm in every layer of the generator but the last (`norm=True`), and
kernels drawn from N(0, 0.02^2) (`kernel_init=nn.initializers.normal(0.02)`). The defaults are the tutorials': 3 x 3
kernels, no batch norm in the generator, dropout in the discriminator.
"""

import math

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.game import Keys
from gan_jax.nets.convolution import Conv, ConvTranspose
from gan_jax.nets.layers import BatchNorm, Dropout

Initializer = nn.initializers.Initializer


class Generator(nn.Module):
    """`z [B, Z]` to images `[B, H, W, channels]` in [-1, 1], H = W = `base` times the product of `strides`.

    A Dense layer to `[B, base, base, widths[0]]` with ReLU, then transposed convolutions, LeakyReLU between them and
    tanh after the last: 28 x 28 x 1 by default, 32 x 32 x 3 with `base=8, channels=3`.
    """

    channels: int = 1
    base: int = 7
    widths: tuple[int, ...] = (256, 128, 64)
    strides: tuple[int, ...] = (2, 1, 2)
    kernel_size: int = 3
    slope: float = 0.01
    norm: bool = False
    kernel_init: Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B H W C"]:
        """Images from latents."""

        def normalise(x: Array) -> Array:
            return BatchNorm(momentum=0.9)(x) if self.norm else x

        shape = (self.base, self.base, self.widths[0])
        x = nn.Dense(math.prod(shape), dtype=self.dtype, kernel_init=self.kernel_init)(z)
        x = nn.relu(normalise(x.reshape(-1, *shape)))
        *hidden, last = (
            ConvTranspose(width, self.kernel_size, stride, dtype=self.dtype, kernel_init=self.kernel_init)
            for width, stride in zip((*self.widths[1:], self.channels), self.strides, strict=True)
        )
        for layer in hidden:
            x = nn.leaky_relu(normalise(layer(x)), self.slope)
        return nn.tanh(last(x).astype(jnp.float32))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]`: per width a stride 2 convolution, LeakyReLU, dropout; then one logit."""

    widths: tuple[int, ...] = (64, 128)
    kernel_size: int = 3
    slope: float = 0.01
    dropout: float = 0.3
    kernel_init: Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images; with `keys`, one per example, under dropout."""
        for width in self.widths:
            x = Conv(width, self.kernel_size, 2, dtype=self.dtype, kernel_init=self.kernel_init)(x)
            x = Dropout(self.dropout)(nn.leaky_relu(x, self.slope), keys)
        x = x.reshape(x.shape[0], -1).astype(jnp.float32)
        return nn.Dense(1, kernel_init=self.kernel_init)(x).squeeze(-1)

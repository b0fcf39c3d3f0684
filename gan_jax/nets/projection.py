"""Small conditional networks with a projection discriminator: DCGAN's layers, many times faster on a CPU.

Miyato and Koyama 2018, "cGANs with projection discriminator" (https://arxiv.org/abs/1802.05637): the discriminator adds
the inner product of its features and an embedding of the label, the generator has conditional batch norm. The paper's
own networks are residual (`nets.resnet`).
"""

import math

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets import dcgan
from gan_jax.nets.layers.conditioning import Labels, Projection
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.normalization import ConditionalBatchNorm
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.pair import Pair

Images = Float[Array, "B H W C"]


class Generator(nn.Module):
    """`z [B, Z]` and labels `[B]` to images `[B, size, size, channels]` in [-1, 1].

    A Dense layer to `[B, base, base, widths[0]]`, then per width a 4 x 4 transposed convolution of stride 2, of sizes
    `dcgan.feature_sizes`; conditional batch norm and ReLU before each, tanh after the last.
    """

    channels: int
    size: int
    widths: tuple[int, ...]
    classes: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Labels) -> Images:
        """Generates images of classes `y`."""
        base, *sizes = dcgan.feature_sizes(self.size, (2,) * len(self.widths))
        shape = (base, base, self.widths[0])
        x = nn.Dense(math.prod(shape), dtype=self.dtype)(z).reshape(-1, *shape)
        for width, size in zip((*self.widths[1:], self.channels), sizes, strict=True):
            x = nn.relu(ConditionalBatchNorm(self.classes, momentum=0.9)(x, y))
            x = ConvTranspose(width, 4, 2, size, self.dtype)(x)
        return nn.tanh(x.astype(jnp.float32))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` and labels `[B]` to scores `[B]`, with spectral norm in every layer.

    Per width a 4 x 4 convolution of stride 2 and LeakyReLU 0.1; then the `Projection` of the flat features.
    """

    widths: tuple[int, ...]
    classes: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, y: Labels, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images as examples of classes `y`; `keys` are ignored."""
        for width in self.widths:
            x = nn.leaky_relu(SpectralNorm(Conv(width, 4, 2, self.dtype))(x), 0.1)
        return Projection(self.classes)(x.reshape(x.shape[0], -1).astype(jnp.float32), y)


def pair(shape: tuple[int, ...], width: int, classes: int) -> Pair:
    """Builds networks for square images `[H, H, C]`, with the layers and widths of `dcgan.paper(shape, width)`.

    Raises:
        BadInput: as `dcgan.paper`.
    """
    g, d = dcgan.paper(shape, width)
    return Pair(Generator(g.channels, g.size, g.widths, classes), Discriminator(d.widths, classes))

"""Telling a discriminator the label by a product, and a pair of small convolutional networks that are told it.

Miyato and Koyama 2018, "cGANs with projection discriminator": the discriminator adds the inner product of its features
and an embedding of the label, the generator has conditional batch norm. The paper's own networks are residual,
`nets.resnet`; these, which a CPU trains many times faster, are DCGAN's (Radford et al. 2016) with both.
"""

import math
from typing import NamedTuple

from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets import dcgan
from gan_jax.nets.layers.conditioning import Labels, Projection
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.normalization import ConditionalBatchNorm
from gan_jax.nets.layers.spectral_norm import SpectralNorm

Images = Float[Array, "B H W C"]


class Generator(nn.Module):
    """`z [B, Z]` and labels to images `[B, size, size, channels]` in [-1, 1].

    A Dense layer to `[B, base, base, widths[0]]`, then for every width a 4 x 4 transposed convolution of stride 2, of
    sizes as in `dcgan.growing`; conditional batch norm and ReLU before each, tanh after the last.
    """

    channels: int
    size: int
    widths: tuple[int, ...]
    classes: int

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Labels) -> Images:
        """Images from latents, of classes `y`."""
        base, *sizes = dcgan.growing(self.size, (2,) * len(self.widths))
        shape = (base, base, self.widths[0])
        x = nn.Dense(math.prod(shape))(z).reshape(-1, *shape)
        for width, size in zip((*self.widths[1:], self.channels), sizes, strict=True):
            x = nn.relu(ConditionalBatchNorm(self.classes, momentum=0.9)(x, y))
            x = ConvTranspose(width, 4, 2, size)(x)
        return nn.tanh(x)


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` and labels to scores `[B]`, spectral norm in every layer.

    Per width a 4 x 4 convolution of stride 2 and LeakyReLU 0.1; then the flat features, and the `Projection`.
    """

    widths: tuple[int, ...]
    classes: int

    @nn.compact
    def __call__(self, x: Images, y: Labels, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images as examples of classes `y`; `keys` are not used, this network draws no noise."""
        for width in self.widths:
            x = nn.leaky_relu(SpectralNorm(Conv(width, 4, 2))(x), 0.1)
        return Projection(self.classes)(x.reshape(x.shape[0], -1), y)


class Pair(NamedTuple):
    """Networks that fit each other."""

    g: Generator
    d: Discriminator


def pair(shape: tuple[int, ...], width: int, classes: int) -> Pair:
    """Networks for square images `[H, H, C]`, of as many layers and maps as those of `dcgan.paper(shape, width)`.

    Raises:
        BadInput: as `dcgan.paper`.
    """
    g, d = dcgan.paper(shape, width)
    return Pair(Generator(g.channels, g.size, g.widths, classes), Discriminator(d.widths, classes))

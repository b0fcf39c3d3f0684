"""The networks of a pyramid: fully connected ones for the coarsest images, convolutions for what finer ones add.

Denton et al. 2015, "Deep generative image models using a Laplacian pyramid of adversarial networks". For CIFAR-10 the
paper has, on 8 x 8 pixels, two hidden layers with ReLU in each network, 1200 units wide in the generator and 600, with
dropout, in the discriminator; on finer images three convolutions in the generator, which sees the noise as one more
color plane, and two in the discriminator, to which the low-pass image is given added to the residual.

Kernels and maps are those of the authors' program, as far as copies of it show: 7, 7 and 5 pixels with 128 maps in the
generator, 5 and 5 (the second of stride 2) with 64 in the discriminator, without padding where ours is `SAME`. The rate
of dropout, one half, is a guess. Batch norm in the generators is ours, though larger networks of that program have
some, and so is tanh after the coarsest images. Residuals are not bounded.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm


class Generator(nn.Module):
    """`z [B, Z]` to the coarsest images `[B, *shape]` in [-1, 1].

    Per width Dense, batch norm and ReLU; then Dense and tanh.
    """

    shape: tuple[int, int, int]
    widths: tuple[int, ...] = (1200, 1200)

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B H W C"]:
        """Images from latents."""
        x = z
        for width in self.widths:
            x = nn.relu(BatchNorm(momentum=0.9)(nn.Dense(width)(x)))
        return nn.tanh(nn.Dense(math.prod(self.shape))(x)).reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """The coarsest images `[B, H, W, C]` to scores `[B]`: flat, per width Dense, ReLU, dropout; then one logit."""

    widths: tuple[int, ...] = (600, 600)
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images; with `keys`, one per example, under dropout."""
        x = x.reshape(x.shape[0], -1)
        for width in self.widths:
            x = Dropout(self.dropout)(nn.relu(nn.Dense(width)(x)), keys)
        return nn.Dense(1)(x).squeeze(-1)


class ResidualGenerator(nn.Module):
    """Noise `[B, H W]` and low-pass images `[B, H, W, C]` to residuals `[B, H, W, C]`.

    The noise is one more plane of the images. A convolution per kernel size, batch norm and ReLU between them.
    """

    width: int = 128
    kernel_sizes: tuple[int, ...] = (7, 7, 5)

    @nn.compact
    def __call__(self, z: Float[Array, "B HW"], low: Float[Array, "B H W C"]) -> Float[Array, "B H W C"]:
        """Residuals of low-pass images."""
        x = jnp.concatenate([low, z.reshape(*low.shape[:-1], 1)], axis=-1)
        *hidden, last = self.kernel_sizes
        for size in hidden:
            x = nn.relu(BatchNorm(momentum=0.9)(Conv(self.width, size)(x)))
        return Conv(low.shape[-1], last)(x)


class ResidualDiscriminator(nn.Module):
    """Residuals and low-pass images, both `[B, H, W, C]`, to scores `[B]`: what it looks at is their sum.

    Two convolutions, the second of stride 2, with ReLU; then one logit.
    """

    width: int = 64
    kernel_size: int = 5

    @nn.compact
    def __call__(
        self, residual: Float[Array, "B H W C"], low: Float[Array, "B H W C"], keys: Keys | None = None
    ) -> Float[Array, " B"]:
        """Scores of residuals; `keys` are not used, this network draws no noise."""
        x = nn.relu(Conv(self.width, self.kernel_size)(residual + low))
        x = nn.relu(Conv(self.width, self.kernel_size, 2)(x))
        return nn.Dense(1)(x.reshape(x.shape[0], -1)).squeeze(-1)


class Pyramid(NamedTuple):
    """Networks of every level, coarse to fine."""

    g: tuple[nn.Module, ...]
    d: tuple[nn.Module, ...]


class Level(NamedTuple):
    """Sizes of the networks of a finer level; by default the paper's."""

    g_maps: int = 128
    g_kernels: tuple[int, ...] = (7, 7, 5)
    d_maps: int = 64
    d_kernel: int = 5


class Sizes(NamedTuple):
    """Of the networks of a pyramid; by default the paper's."""

    g_widths: tuple[int, ...] = (1200, 1200)
    d_widths: tuple[int, ...] = (600, 600)
    dropout: float = 0.5
    finer: tuple[Level, ...] = (Level(),)
    """Coarse to fine; the last is that of all finer levels besides."""
    coarsest: int = 8
    """How many pixels a side of the coarsest images has at most."""


def networks(shape: tuple[int, ...], sizes: Sizes) -> Pyramid:
    """Networks for images `[H, W, C]`, which are halved until no side is longer than `sizes.coarsest` or one is odd.

    Down to 8 pixels that is 28, 14, 7. (The paper's pyramid of CIFAR-10 is of 28, 14 and 8 pixels.)

    Raises:
        BadInput: the images cannot be halved once.
    """
    height, width, channels = shape if len(shape) == 3 else (0, 0, 0)
    levels = 0
    while height % 2 == 0 and width % 2 == 0 and max(height, width) > sizes.coarsest:
        height, width, levels = height // 2, width // 2, levels + 1
    if not levels:
        size = "x".join(map(str, shape))
        more = f"of even height and width, more than {sizes.coarsest}"
        raise BadInput(f"examples of {size} have no pyramid: give images {more}")
    finer = (sizes.finer + levels * sizes.finer[-1:])[:levels]
    g = (ResidualGenerator(level.g_maps, level.g_kernels) for level in finer)
    d = (ResidualDiscriminator(level.d_maps, level.d_kernel) for level in finer)
    return Pyramid(
        (Generator((height, width, channels), sizes.g_widths), *g),
        (Discriminator(sizes.d_widths, sizes.dropout), *d),
    )

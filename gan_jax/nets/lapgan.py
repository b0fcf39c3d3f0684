"""The networks of LAPGAN: fully connected at the coarsest level, convolutional at the finer ones.

Denton et al. 2015, "Deep generative image models using a Laplacian pyramid of adversarial networks"
(https://arxiv.org/abs/1506.05751). For CIFAR-10, at 8 x 8 pixels: two hidden ReLU layers in each network, of 1200 units
in the generator and of 600, with dropout, in the discriminator. At finer levels: three convolutions in the generator,
whose noise is an extra channel, and two in the discriminator, whose input is the sum of residual and low-pass image.

Kernels and maps are those of copies of the authors' program: 7, 7 and 5 pixels and 128 maps in the generator, 5 and 5
(the second of stride 2) and 64 maps in the discriminator. It uses no padding, we use `SAME`. The dropout rate of one
half is a guess; the generators' batch norm and the tanh after the coarsest images are ours. Residuals are unbounded.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.nets.pair import Pair, unsupported


class Generator(nn.Module):
    """`z [B, Z]` to coarsest images `[B, *shape]` in [-1, 1]: per width Dense, batch norm, ReLU; then Dense, tanh."""

    shape: tuple[int, int, int]
    widths: tuple[int, ...] = (1200, 1200)
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B H W C"]:
        """Generates images."""
        x = z
        for width in self.widths:
            x = nn.relu(BatchNorm(momentum=0.9)(nn.Dense(width, dtype=self.dtype)(x)))
        x = nn.Dense(math.prod(self.shape), dtype=self.dtype)(x)
        return nn.tanh(x.astype(jnp.float32)).reshape(-1, *self.shape)


class Discriminator(nn.Module):
    """Coarsest images `[B, H, W, C]` to scores `[B]`: flat, per width Dense, ReLU, dropout; then one logit."""

    widths: tuple[int, ...] = (600, 600)
    dropout: float = 0.5
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images; `keys` turn dropout on."""
        x = x.reshape(x.shape[0], -1)
        for width in self.widths:
            x = Dropout(self.dropout)(nn.relu(nn.Dense(width, dtype=self.dtype)(x)), keys)
        return nn.Dense(1)(x.astype(jnp.float32)).squeeze(-1)


class ResidualGenerator(nn.Module):
    """Noise `[B, H W]` and low-pass images `[B, H, W, C]` to residuals `[B, H, W, C]`.

    The noise is an extra channel of the images. One convolution per kernel size, batch norm and ReLU between them.
    """

    width: int = 128
    kernel_sizes: tuple[int, ...] = (7, 7, 5)
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B HW"], low: Float[Array, "B H W C"]) -> Float[Array, "B H W C"]:
        """Generates residuals."""
        x = jnp.concatenate([low, z.reshape(*low.shape[:-1], 1)], axis=-1)
        *hidden, last = self.kernel_sizes
        for size in hidden:
            x = nn.relu(BatchNorm(momentum=0.9)(Conv(self.width, size, dtype=self.dtype)(x)))
        return Conv(low.shape[-1], last, dtype=self.dtype)(x).astype(jnp.float32)


class ResidualDiscriminator(nn.Module):
    """Residuals and low-pass images, both `[B, H, W, C]`, to scores `[B]` of their sum.

    Two convolutions with ReLU, the second of stride 2; then one logit.
    """

    width: int = 64
    kernel_size: int = 5
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, residual: Float[Array, "B H W C"], low: Float[Array, "B H W C"], keys: Keys | None = None
    ) -> Float[Array, " B"]:
        """Scores residuals; `keys` are ignored."""
        x = nn.relu(Conv(self.width, self.kernel_size, dtype=self.dtype)(residual + low))
        x = nn.relu(Conv(self.width, self.kernel_size, 2, self.dtype)(x))
        return nn.Dense(1)(x.reshape(x.shape[0], -1).astype(jnp.float32)).squeeze(-1)


class Level(NamedTuple):
    """Sizes of a finer level's networks; the defaults are the paper's."""

    g_maps: int = 128
    g_kernels: tuple[int, ...] = (7, 7, 5)
    d_maps: int = 64
    d_kernel: int = 5


class Sizes(NamedTuple):
    """Sizes of all networks; the defaults are the paper's."""

    g_widths: tuple[int, ...] = (1200, 1200)
    d_widths: tuple[int, ...] = (600, 600)
    dropout: float = 0.5
    finer: tuple[Level, ...] = (Level(),)
    """Coarse to fine; the last entry repeats for all finer levels."""
    coarsest: int = 8
    """Maximum side of the coarsest images, in pixels."""


def networks(shape: tuple[int, ...], sizes: Sizes) -> Pair:
    """Builds the networks of every level, for images `[H, W, C]`.

    Images are halved until no side exceeds `sizes.coarsest` or a side is odd: by default 28, 14, 7. (The paper has 28,
    14 and 8 for CIFAR-10.)

    Raises:
        BadInput: the images cannot be halved even once.
    """
    height, width, channels = shape if len(shape) == 3 else (0, 0, 0)
    levels = 0
    while height % 2 == 0 and width % 2 == 0 and max(height, width) > sizes.coarsest:
        height, width, levels = height // 2, width // 2, levels + 1
    if not levels:
        raise unsupported(shape, f"images of even height and width, more than {sizes.coarsest} pixels")
    finer = (sizes.finer + levels * sizes.finer[-1:])[:levels]
    g = (ResidualGenerator(level.g_maps, level.g_kernels) for level in finer)
    d = (ResidualDiscriminator(level.d_maps, level.d_kernel) for level in finer)
    return Pair(
        (Generator((height, width, channels), sizes.g_widths), *g),
        (Discriminator(sizes.d_widths, sizes.dropout), *d),
    )

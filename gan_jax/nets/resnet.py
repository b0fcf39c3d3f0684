"""The residual networks of SNGAN, with or without labels; `pair` builds them for the shape of the data.

Miyato et al. 2018, "Spectral normalization for generative adversarial networks", Table 4, for CIFAR-10
(https://arxiv.org/abs/1802.05957). With labels, those of Miyato and Koyama 2018, "cGANs with projection discriminator"
(https://arxiv.org/abs/1802.05637): conditional batch norm in the generator's blocks, and a `Projection` at the end of
the discriminator. Scales of kernels, pooling of shortcuts and the missing bias of the logit follow the authors'
program.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.attention import SelfAttention
from gan_jax.nets.layers.conditioning import GLOROT, Labels, Projection
from gan_jax.nets.layers.convolution import Conv, Convolved
from gan_jax.nets.layers.frames import with_neighbors
from gan_jax.nets.layers.normalization import BatchNorm, ConditionalBatchNorm
from gan_jax.nets.layers.resampling import DownConv, UpConv, average_pool, upsample
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.pair import Pair, unsupported
from gan_jax.nets.projection import Images

RESIDUAL = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
"""Initializer of the convolutions in a block: Glorot's with gain sqrt(2)."""


class Generator(nn.Module):
    """`z [B, Z]` and, with `classes`, labels `[B]` to images `[B, H, W, channels]` in [-1, 1].

    A Dense layer to `[B, base, base, width]`, `blocks` residual blocks that double the size, batch norm, ReLU, a
    convolution, tanh. With classes, the blocks' batch norm is conditional; with `attention`, a `SelfAttention` stands
    before the last block, at half the size.
    """

    channels: int = 3
    base: int = 4
    blocks: int = 3
    width: int = 256
    classes: int = 0
    attention: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Labels | None = None) -> Images:
        """Generates images of classes `y`."""
        x = nn.Dense(self.base**2 * self.width, dtype=self.dtype, kernel_init=GLOROT)(z)
        x = x.reshape(-1, self.base, self.base, self.width)
        for i in range(self.blocks):
            if self.attention and i == self.blocks - 1:
                x = SelfAttention(self.dtype)(x)
            x = UpBlock(self.width, self.classes, self.dtype)(x, y)
        x = nn.relu(BatchNorm(momentum=0.9)(x))
        return nn.tanh(Conv(self.channels, dtype=self.dtype, kernel_init=GLOROT)(x).astype(jnp.float32))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]`, with spectral norm in every layer.

    `down` residual blocks that halve the size, two that keep it, ReLU, the sum over all positions, one logit. With
    `attention`, a `SelfAttention` stands after the first block, at half the size.
    """

    down: int = 2
    width: int = 128
    attention: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images; `keys` are ignored."""
        return Projection(classes=0)(_features(x, self.down, self.width, self.attention, self.dtype))


class ProjectionDiscriminator(nn.Module):
    """`Discriminator` of images and labels `[B]`: the sum over all positions goes to a `Projection`."""

    classes: int
    down: int = 2
    width: int = 128
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, y: Labels, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images as examples of classes `y`; `keys` are ignored."""
        return Projection(self.classes)(_features(x, self.down, self.width, dtype=self.dtype), y)


def pair(shape: tuple[int, ...], g_width: int = 256, d_width: int = 128, classes: int = 0) -> Pair:
    """Builds the networks for square images `[H, H, C]`, conditional if `classes` is not 0.

    The generator doubles 4 or an odd number of pixels at least twice: 28 = 7 x 2 x 2, 32 = 4 x 2 x 2 x 2. The
    discriminator halves down to 8 pixels or less. The default widths at 32 x 32 pixels are the paper's.

    Raises:
        BadInput: the images are not square, or cannot be halved twice.
    """
    base, blocks = shape[0], 0
    while base % 2 == 0 and base > 4:
        base, blocks = base // 2, blocks + 1
    if len(shape) != 3 or shape[0] != shape[1] or blocks < 2:
        raise unsupported(shape, "square images of 12, 16, 20, 24, 28, 32, ... pixels a side")
    down = sum(base * 2**i > 8 for i in range(1, blocks + 1))
    g = Generator(shape[2], base, blocks, g_width, classes)
    return Pair(g, ProjectionDiscriminator(classes, down, d_width) if classes else Discriminator(down, d_width))


class UpBlock(nn.Module):
    """`[B, H, W, C]` to `[B, 2 H, 2 W, width]`: twice batch norm, ReLU and a convolution, the first one upsampling."""

    width: int
    classes: int = 0
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, y: Labels | None = None) -> Convolved:
        """Computes the block; the shortcut is an upsampled 1 x 1 convolution."""
        h = UpConv(self.width, RESIDUAL, self.dtype)(nn.relu(self._normalize(x, y)))
        h = Conv(self.width, dtype=self.dtype, kernel_init=RESIDUAL)(nn.relu(self._normalize(h, y)))
        return h + upsample(Conv(self.width, 1, dtype=self.dtype, kernel_init=GLOROT)(x))

    def _normalize(self, x: Images, y: Labels | None) -> Images:
        return ConditionalBatchNorm(self.classes, momentum=0.9)(x, y) if self.classes else BatchNorm(momentum=0.9)(x)


class DownBlock(nn.Module):
    """`[B, H, W, C]` to `[B, H / 2, W / 2, width]`: ReLU, convolution; ReLU, pooled convolution.

    The `first` block takes images: it has no ReLU before its first convolution. With `frames`, the images are videos of
    so many frames, one video after the other, and both convolutions see the neighboring frames too: 3 x 3 x 3.
    """

    width: int
    first: bool = False
    dtype: DTypeLike | None = None
    frames: int = 0

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Computes the block; the shortcut is a 1 x 1 convolution of the pooled input."""
        h = with_neighbors(x if self.first else nn.relu(x), self.frames)
        h = SpectralNorm(Conv(self.width, dtype=self.dtype, kernel_init=RESIDUAL))(h)
        h = SpectralNorm(DownConv(self.width, RESIDUAL, self.dtype))(with_neighbors(nn.relu(h), self.frames))
        return h + SpectralNorm(Conv(self.width, 1, dtype=self.dtype, kernel_init=GLOROT))(average_pool(x))


class Block(nn.Module):
    """`[B, H, W, width]` to `[B, H, W, width]`: ReLU, convolution; ReLU, convolution; plus the input.

    `frames` are those of `DownBlock`.
    """

    width: int
    dtype: DTypeLike | None = None
    frames: int = 0

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Computes the block."""
        h = with_neighbors(nn.relu(x), self.frames)
        h = SpectralNorm(Conv(self.width, dtype=self.dtype, kernel_init=RESIDUAL))(h)
        h = with_neighbors(nn.relu(h), self.frames)
        return x + SpectralNorm(Conv(self.width, dtype=self.dtype, kernel_init=RESIDUAL))(h)


def _features(
    x: Images, down: int, width: int, attention: bool = False, dtype: DTypeLike | None = None
) -> Float[Array, "B width"]:
    """Computes the discriminator's features before its last layer; the layers belong to the calling module."""
    for i in range(down):
        x = DownBlock(width, i == 0, dtype)(x)
        if attention and i == 0:
            x = SpectralNorm(SelfAttention(dtype))(x)
    for _ in range(2):
        x = Block(width, dtype)(x)
    return jnp.sum(nn.relu(x).astype(jnp.float32), axis=(1, 2))

"""The networks of progressive growing, one pair for each size of images.

Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation", Table 2
(https://arxiv.org/abs/1710.10196): equalized learning rate in every layer, pixel norm after the generator's
convolutions, the standard deviation of groups in the discriminator, images from a linear layer without tanh. Widths,
gains and biases follow the authors' program.

Layers are named by the size of their images, so a pair has the parameters of the next smaller one under the same paths.
"""

import math

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.convolution import Conv, Convolved, ConvTranspose, Images
from gan_jax.nets.layers.equalized import UNIT, Equalized
from gan_jax.nets.layers.minibatch import MinibatchStdDev
from gan_jax.nets.layers.normalization import pixel_norm
from gan_jax.nets.layers.resampling import DownConv, UpConv, average_pool, upsample
from gan_jax.nets.pair import Pair, unsupported

Alpha = Float[Array, ""]
"""The share of the newest block, from 0, where the networks are those of half the size, to 1."""


class Generator(nn.Module):
    """`z [B, Z]` to images `[B, size, size, channels]`.

        alpha * to_rgb(block(h)) + (1 - alpha) * upsample(to_rgb_before(h))

    `widths` are the channels of the maps, coarse to fine: of `base` pixels a side, then twice as many, ...
    """

    widths: tuple[int, ...]
    channels: int = 3
    base: int = 4
    dtype: DTypeLike | None = None

    @property
    def size(self) -> int:
        """The side of the images in pixels."""
        return self.base * 2 ** (len(self.widths) - 1)

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], alpha: Alpha) -> Images:
        """Generates images of latents on the sphere."""
        x = before = FirstBlock(self.widths[0], self.base, self.dtype, name=f"block_{self.base}")(pixel_norm(z))
        for i, width in enumerate(self.widths[1:], start=1):
            before, x = x, UpBlock(width, self.dtype, name=f"block_{self.base * 2**i}")(x)
        rgb = self._to_rgb(x)
        return rgb if x is before else lerp(upsample(self._to_rgb(before)), rgb, alpha)

    def _to_rgb(self, x: Images) -> Convolved:
        layer = Conv(self.channels, 1, dtype=self.dtype, kernel_init=UNIT, name=f"to_rgb_{x.shape[1]}")
        return Equalized(layer)(x).astype(jnp.float32)


class Discriminator(nn.Module):
    """Images `[B, size, size, C]` to scores `[B]`, the mirror image of `Generator`.

        top(alpha * block(from_rgb(x)) + (1 - alpha) * from_rgb_before(average_pool(x)))

    The scores of `group` consecutive images depend on each other.
    """

    widths: tuple[int, ...]
    group: int = 4
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, alpha: Alpha, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images; `keys` are ignored."""
        coarse, *finer = self.widths
        h = self._from_rgb(x, self.widths[-1])
        for i in reversed(range(len(finer))):
            h = DownBlock(self.widths[i], self.dtype, name=f"block_{h.shape[1]}")(h)
            if i == len(finer) - 1:
                h = lerp(self._from_rgb(average_pool(x), self.widths[i]), h, alpha)
        return LastBlock(coarse, self.group, self.dtype, name=f"block_{h.shape[1]}")(h)

    def _from_rgb(self, x: Images, width: int) -> Convolved:
        return activated(Conv(width, 1, dtype=self.dtype, kernel_init=UNIT, name=f"from_rgb_{x.shape[1]}"), x)


def networks(shape: tuple[int, ...], base: int = 8192, most: int = 512, group: int = 4) -> tuple[Pair, ...]:
    """Builds a pair for each size, coarse to fine; the last makes images of `shape`.

    The first size halves that of the images while it is even and more than 4: 4 for 32 or 1024 pixels, 7 for 28. The
    maps of stage 1, 2, ..., coarse to fine, have `min(base / 2^stage, most)` channels. The defaults are the paper's.

    Raises:
        BadInput: the images are not square, or cannot be halved.
    """
    if len(shape) != 3 or shape[0] != shape[1] or shape[0] % 2 or shape[0] <= 4:
        raise unsupported(shape, "square images of an even number of pixels a side, 6 or more")
    size, doublings = shape[0], 0
    while size % 2 == 0 and size > 4:
        size, doublings = size // 2, doublings + 1
    widths = tuple(max(1, min(base // 2**stage, most)) for stage in range(1, doublings + 2))
    grown = [widths[: i + 1] for i in range(doublings + 1)]
    return tuple(Pair(Generator(each, shape[2], size), Discriminator(each, group)) for each in grown)


class FirstBlock(nn.Module):
    """`[B, Z]` to `[B, size, size, width]`: a full transposed convolution, then a 3 x 3 convolution."""

    width: int
    size: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Convolved:
        """Computes the block."""
        full = ConvTranspose(self.width, self.size, self.size, dtype=self.dtype, kernel_init=UNIT)
        x = pixel_norm(activated(full, z[:, None, None, :]))
        return pixel_norm(activated(Conv(self.width, dtype=self.dtype, kernel_init=UNIT), x))


class UpBlock(nn.Module):
    """`[B, H, W, C]` to `[B, 2 H, 2 W, width]`: upsampling and two 3 x 3 convolutions with pixel norm."""

    width: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Computes the block."""
        x = pixel_norm(activated(UpConv(self.width, UNIT, self.dtype), x))
        return pixel_norm(activated(Conv(self.width, dtype=self.dtype, kernel_init=UNIT), x))


class DownBlock(nn.Module):
    """`[B, H, W, C]` to `[B, H / 2, W / 2, width]`: two 3 x 3 convolutions, the second one pooled."""

    width: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Computes the block."""
        x = activated(Conv(x.shape[-1], dtype=self.dtype, kernel_init=UNIT), x)
        return activated(DownConv(self.width, UNIT, self.dtype), x)


class LastBlock(nn.Module):
    """Maps `[B, H, W, width]` to scores `[B]`: the deviation of groups, a convolution, and two dense layers."""

    width: int
    group: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images) -> Float[Array, " B"]:
        """Scores the maps."""
        x = activated(Conv(self.width, dtype=self.dtype, kernel_init=UNIT), MinibatchStdDev(self.group)(x))
        x = activated(nn.Dense(self.width, dtype=self.dtype, kernel_init=UNIT), x.reshape(x.shape[0], -1))
        return Equalized(nn.Dense(1, kernel_init=UNIT))(x.astype(jnp.float32)).squeeze(-1)


def activated(layer: nn.Module, x: Array) -> Array:
    """Applies an equalized layer and LeakyReLU 0.2; the gain sqrt(2) is that of He's initialization for ReLU."""
    return nn.leaky_relu(Equalized(layer, math.sqrt(2))(x), 0.2)


def lerp(old: Images, new: Images, alpha: Alpha) -> Images:
    """Computes `alpha * new + (1 - alpha) * old`, exact at both ends."""
    alpha = alpha.astype(new.dtype)
    return alpha * new + (1 - alpha) * old

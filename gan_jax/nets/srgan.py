"""The networks of SRGAN (`paper`): SRResNet, and a discriminator of crops; `small` fits a CPU.

Ledig et al. 2017, "Photo-realistic single image super-resolution using a generative adversarial network", fig. 4
(https://arxiv.org/abs/1609.04802). Its batch norm colors images at test time, so the default has none, and scales the
blocks by 0.2 instead: Wang et al. 2018, "ESRGAN", sec. 3.1 (https://arxiv.org/abs/1809.00219).

Ranges: the paper's last layer is linear, its inputs are in [0, 1] and its outputs in [-1, 1]. Here both are in [-1, 1],
and the last layer is linear too: a tanh would reach black and white only at infinity. Outputs may leave [-1, 1] a
little; files and previews clip them, and so should a score.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets.layers.convolution import Conv, Convolved, Images
from gan_jax.nets.layers.normalization import Norm, normalize
from gan_jax.nets.layers.resampling import pixel_shuffle
from gan_jax.nets.pair import Pair, unsupported

HE = nn.initializers.he_normal()


class Generator(nn.Module):
    """SRResNet: images `[B, H, W, C]` of any size to images `[B, scale H, scale W, channels]`, both in [-1, 1].

    A convolution, `blocks` residual blocks, a convolution and the sum with the first; per doubling a convolution to
    4 `width` maps and a pixel shuffle; a convolution to the image. PReLU between them.

    With `residual` the network predicts the difference to the input, enlarged by bicubic interpolation (`enlarge`). By
    default its last layer begins at 0: the first output is the bicubic image. The paper's network has no such sum.

    Scale 1 keeps the size: it has no upsampling. Its input may have more channels than the output, as a mask after the
    colors, or one.
    """

    channels: int = 3
    scale: int = 4
    width: int = 64
    blocks: int = 16
    kernel_size: int = 9
    """That of the first and last convolution."""
    norm: Norm = "none"
    residual: bool = True
    last_init: nn.initializers.Initializer = nn.initializers.zeros
    """Initializer of the last kernel."""
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Convolved:
        """Enlarges images; `keys` are ignored.

        Raises:
            BadInput: the scale is not 1, 2, 4, 8, ..., or `residual` cannot make `channels` of the input's.
        """
        if self.scale < 1 or self.scale & (self.scale - 1):
            raise BadInput(f"scale {self.scale} is not supported: choose one of 1, 2, 4, 8")
        options = {"dtype": self.dtype, "kernel_init": HE}
        first = prelu(Conv(self.width, self.kernel_size, **options)(x))
        h = first
        for _ in range(self.blocks):
            h = Block(self.norm, self.dtype)(h)
        h = first + normalize(Conv(self.width, **options)(h), self.norm)
        for _ in range(self.scale.bit_length() - 1):
            h = prelu(pixel_shuffle(Conv(4 * self.width, **options)(h), 2))
        y = Conv(self.channels, self.kernel_size, kernel_init=self.last_init)(h.astype(jnp.float32))
        return y + enlarge(x, self.scale, self.channels) if self.residual else y


class Block(nn.Module):
    """`[B, H, W, C]` to the same shape: convolution, norm, PReLU, convolution, norm; plus the input.

    Without norm the sum is `x + 0.2 h`, so that the variance does not grow with the number of blocks.
    """

    norm: Norm = "none"
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Computes the block."""
        options = {"dtype": self.dtype, "kernel_init": HE}
        h = prelu(normalize(Conv(x.shape[-1], **options)(x), self.norm))
        h = normalize(Conv(x.shape[-1], **options)(h), self.norm)
        return x + (0.2 * h if self.norm == "none" else h)


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]`: per width a convolution and one of stride 2, then Dense layers.

    Norm after every convolution but the first, LeakyReLU 0.2. The Dense layer fixes the size of the images: crops of
    one size in training. Halves round up.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    units: int = 1024
    norm: Norm = "batch"
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images; `keys` are ignored."""
        for i, width in enumerate(self.widths):
            for stride in (1, 2):
                x = Conv(width, stride=stride, dtype=self.dtype, kernel_init=HE)(x)
                x = nn.leaky_relu(x if (i, stride) == (0, 1) else normalize(x, self.norm), 0.2)
        x = nn.Dense(self.units, dtype=self.dtype)(x.reshape(x.shape[0], -1))
        return nn.Dense(1)(nn.leaky_relu(x, 0.2).astype(jnp.float32)).squeeze(-1)


def prelu(x: Array) -> Array:
    """Applies PReLU with one learned slope, 0.25 at first, as a layer of the calling module."""
    return nn.PReLU(negative_slope_init=0.25)(x)


def enlarge(x: Images, scale: int, channels: int) -> Float[Array, "B _ _ channels"]:
    """Enlarges the first `channels` channels by bicubic interpolation (Keys' kernel, a = -1/2); repeats a single one.

    Raises:
        BadInput: the images have more than one channel, but less than `channels`.
    """
    b, h, w, c = x.shape
    if 1 < c < channels:
        raise BadInput(f"{channels} channels are not a residual of images of {c}: give 1 or at least {channels}")
    x = x[..., :channels].astype(jnp.float32)
    if scale > 1:
        x = jax.image.resize(x, (b, scale * h, scale * w, x.shape[-1]), "cubic")
    return jnp.broadcast_to(x, (*x.shape[:-1], channels))


def paper(shape: tuple[int, ...], scale: int = 4) -> Pair:
    """Builds the paper's networks for training crops `[H, W, C]` at the high resolution; the paper's are 96 x 96 x 3.

    Raises:
        BadInput: `shape` is not that of an image.
    """
    return Pair(Generator(_channels(shape), scale, norm="batch", residual=False, last_init=HE), Discriminator())


def small(shape: tuple[int, ...], scale: int = 4) -> Pair:
    """Builds networks for a CPU, for training crops `[H, W, C]`: 6 blocks of 32 maps, no norm in the generator.

    Raises:
        BadInput: `shape` is not that of an image.
    """
    return Pair(Generator(_channels(shape), scale, width=32, blocks=6), Discriminator((32, 64, 128, 256), units=256))


def _channels(shape: tuple[int, ...]) -> int:
    if len(shape) != 3:
        raise unsupported(shape, "images")
    return shape[-1]

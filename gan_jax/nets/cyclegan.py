"""The networks of CycleGAN (`paper`): a residual translator and a PatchGAN; `small` is for 32 x 32 pixels on a CPU.

Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks", sec. 7.2
(https://arxiv.org/abs/1703.10593), after Johnson et al. 2016, "Perceptual losses for real-time style transfer and
super-resolution" (https://arxiv.org/abs/1603.08155). Kernels are drawn from N(0, 0.02^2). A game has two of each.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.convolution import Conv, Convolved, ConvTranspose, Images
from gan_jax.nets.layers.normalization import Norm, normalize
from gan_jax.nets.layers.resampling import UpConv
from gan_jax.nets.pair import Pair, unsupported
from gan_jax.nets.patchgan import Discriminator

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """Images `[B, H, W, C]` of any size to images `[B, H, W, channels]` in [-1, 1].

    In the paper's words c7s1-`width`, d2`width`, d4`width`, R4`width` per block, u2`width`, u`width`, c7s1-`channels`:
    a 7 x 7 convolution, two 3 x 3 of stride 2, residual blocks, two transposed convolutions, a 7 x 7 convolution.
    Reflected borders at stride 1; norm and ReLU in all but the last. With `resize`, `UpConv` replaces the transposed
    convolutions, against their checkerboard patterns. Halves round up.
    """

    channels: int = 3
    width: int = 64
    blocks: int = 9
    resize: bool = False
    norm: Norm = "instance"
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, "B H W channels"]:
        """Translates images; `keys` are ignored."""
        options = {"dtype": self.dtype, "kernel_init": INITIAL}
        h = nn.relu(normalize(Conv(self.width, 7, border="REFLECT", **options)(x), self.norm))
        sizes = []
        for factor in (2, 4):
            sizes.append(h.shape[1:3])
            h = nn.relu(normalize(Conv(factor * self.width, stride=2, **options)(h), self.norm))
        for _ in range(self.blocks):
            h = Block(self.norm, self.dtype)(h)
        for factor in (2, 1):
            width, (rows, columns) = factor * self.width, sizes.pop()
            up = UpConv(width, **options) if self.resize else ConvTranspose(width, stride=2, **options)
            h = nn.relu(normalize(up(h)[:, :rows, :columns], self.norm))
        return nn.tanh(Conv(self.channels, 7, border="REFLECT", **options)(h).astype(jnp.float32))


class Block(nn.Module):
    """`[B, H, W, C]` to the same shape: convolution, norm, ReLU, convolution, norm; plus the input."""

    norm: Norm = "instance"
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Computes the block."""
        options = {"border": "REFLECT", "dtype": self.dtype, "kernel_init": INITIAL}
        h = nn.relu(normalize(Conv(x.shape[-1], **options)(x), self.norm))
        return x + normalize(Conv(x.shape[-1], **options)(h), self.norm)


def paper(shape: tuple[int, ...], width: int = 64) -> Pair:
    """Builds a translator to images `[H, W, C]`, and their discriminator; width 64 is the paper's.

    9 blocks from 256 pixels on, 6 below; patches of 70 pixels.

    Raises:
        BadInput: `shape` is not that of an image, or its sides have fewer than 24 pixels.
    """
    _check(shape, 24)
    return Pair(Generator(shape[-1], width, 9 if min(shape[:2]) >= 256 else 6), Discriminator(70, width))


def small(shape: tuple[int, ...]) -> Pair:
    """Builds networks for a CPU and images `[H, W, C]` of about 32 pixels: width 16, 2 blocks, patches of 34 pixels.

    Raises:
        BadInput: `shape` is not that of an image, or its sides have fewer than 12 pixels.
    """
    _check(shape, 12)
    return Pair(Generator(shape[-1], width=16, blocks=2, resize=True), Discriminator(34, width=16))


def _check(shape: tuple[int, ...], least: int) -> None:
    if len(shape) != 3 or min(shape[:2]) < least:
        raise unsupported(shape, f"images of {least} pixels a side or more")

"""Up- and downsampling: pixel shuffle, both ways, nearest neighbor, pooling, and convolutions fused with these.

A 3 x 3 convolution after 2 x upsampling, or before 2 x 2 average pooling, is computed as a 4 x 4 one of stride 2 at the
small size: equal in value, less than half of the work.
"""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.nets.layers.convolution import Convolved, Images, apply, conv, conv_transpose


class UpConv(nn.Module):
    """2 x upsampling (`upsample`), then a 3 x 3 convolution; `kernel` and `bias` as in `Conv`.

    Unlike a transposed convolution, whose kernel covers some pixels more often than others, it begins without
    checkerboard patterns: Odena et al. 2016, "Deconvolution and checkerboard artifacts"
    (https://distill.pub/2016/deconv-checkerboard).
    """

    features: int
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None
    kernel_size: ClassVar[int] = 3

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Maps `[B, H, W, C]` to `[B, 2 H, 2 W, features]`."""
        return apply(self, lambda x, kernel: conv_transpose(x, spread_kernel(kernel), 2), x)


class DownConv(nn.Module):
    """A 3 x 3 convolution, then 2 x 2 average pooling; `kernel` and `bias` as in `Conv`."""

    features: int
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None
    kernel_size: ClassVar[int] = 3

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Maps `[B, H, W, C]`, H and W even, to `[B, H / 2, W / 2, features]`."""
        return apply(self, lambda x, kernel: conv(x, spread_kernel(kernel) / 4, 2), x)


def spread_kernel(kernel: Float[Array, "3 3 C_in C_out"]) -> Float[Array, "4 4 C_in C_out"]:
    """Sums a 3 x 3 kernel over its four positions in a 4 x 4 one: its effect on 2 x 2 blocks of equal pixels."""
    shifts = [((i, 1 - i), (j, 1 - j), (0, 0), (0, 0)) for i in (0, 1) for j in (0, 1)]
    return sum((jnp.pad(kernel, shift) for shift in shifts[1:]), jnp.pad(kernel, shifts[0]))


def upsample(x: Images) -> Convolved:
    """Repeats every pixel 2 x 2 times (nearest neighbor): `[B, H, W, C]` to `[B, 2 H, 2 W, C]`."""
    b, h, w, c = x.shape
    return jnp.broadcast_to(x[:, :, None, :, None], (b, h, 2, w, 2, c)).reshape(b, 2 * h, 2 * w, c)


def average_pool(x: Images) -> Convolved:
    """Averages blocks of 2 x 2 pixels: `[B, H, W, C]` to `[B, H / 2, W / 2, C]`."""
    b, h, w, c = x.shape
    return jnp.mean(x.reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def max_pool(x: Images) -> Convolved:
    """Takes the maximum of blocks of 2 x 2 pixels: `[B, H, W, C]` to `[B, H / 2, W / 2, C]`."""
    b, h, w, c = x.shape
    return jnp.max(x.reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def pixel_shuffle(x: Images, r: int) -> Convolved:
    """Arranges r^2 channels as blocks of r x r pixels: `[B, H, W, C r^2]` to `[B, H r, W r, C]`.

        y[b, h r + i, w r + j, c] = x[b, h, w, c r^2 + i r + j]

    This is the order of channels of PyTorch, not that of TensorFlow's `depth_to_space`.

    Shi et al. 2016, "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network", eq. 4 (https://arxiv.org/abs/1609.05158).
    """
    b, h, w, channels = x.shape
    c = channels // r**2
    blocks = x.reshape(b, h, w, c, r, r).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(b, h * r, w * r, c)


def pixel_unshuffle(x: Images, r: int) -> Convolved:
    """Arranges blocks of r x r pixels as r^2 channels, the inverse of `pixel_shuffle`: r divides H and W."""
    b, h, w, c = x.shape
    blocks = x.reshape(b, h // r, r, w // r, r, c).transpose(0, 1, 3, 5, 2, 4)
    return blocks.reshape(b, h // r, w // r, c * r**2)

"""Resampling by 2 without aliasing: a blur [1, 3, 3, 1] after zero insertion or before decimation, and convolutions.

Borders are those of the program of Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", app. B
(https://arxiv.org/abs/1912.04958), at odd sizes too. The filter is from Zhang 2019, "Making convolutional networks
shift-invariant again" (https://arxiv.org/abs/1904.11486). It is one axis after the other, as sums of shifted images:
on a CPU faster than a convolution, and as exact under derivatives of any order.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike

from gan_jax.nets.layers.convolution import Convolved, Images, Kernel, apply, conv, conv_transpose

AXES = (1, 2)


class BlurredDownConv(nn.Module):
    """`downsampling_conv`, plus a bias: `[B, H, W, C]` to `[B, floor(H / 2), floor(W / 2), features]`.

    Parameters `kernel` and `bias` as in `Conv`.
    """

    features: int
    kernel_size: int = 3
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Blurs, convolves with stride 2 and adds the bias."""
        return apply(self, downsampling_conv, x)


def downsampling_conv(x: Images, kernel: Kernel) -> Convolved:
    """Blurs `x`, then convolves it with stride 2; the 3 x 3 kernel sees one pixel beyond the edge of `x`."""
    return conv(blur(x, 2, 2), kernel, 2, border=0)


def upsampling_conv(x: Images, kernel: Kernel) -> Convolved:
    """Inserts zeros, convolves with a 3 x 3 kernel, then blurs: `[B, H, W, C]` to `[B, 2 H, 2 W, C']`.

    Convolution and blur commute, so away from the edges this is `conv(upsample(x), kernel)`, at a quarter of the work.
    """
    return 4 * blur(conv_transpose(x, kernel, 2, border=0), 1, 1)


def blur(x: Images, before: int, after: int) -> Convolved:
    """Computes `y_i = (x_i + 3 x_{i+1} + 3 x_{i+2} + x_{i+3}) / 8` on both axes, of `x` with zeros at both ends.

    The output has `before + after - 3` more rows and columns.
    """
    for axis in AXES:
        x = _pad(x, before, after, axis)
        a, b, c, d = (lax.slice_in_dim(x, i, x.shape[axis] - 3 + i, axis=axis) for i in range(4))
        x = (a + d) / 8 + (b + c) * 0.375
    return x


def upsample(x: Images) -> Convolved:
    """Inserts zeros and blurs, keeping the brightness: `[B, H, W, C]` to `[B, 2 H, 2 W, C]`.

    On each axis `y_{2i} = (3 x_i + x_{i-1}) / 4` and `y_{2i+1} = (3 x_i + x_{i+1}) / 4`, with zeros beyond the edge.
    """
    for axis in AXES:
        n = x.shape[axis]
        padded = _pad(x, 1, 1, axis)
        previous, following = (lax.slice_in_dim(padded, i, i + n, axis=axis) for i in (0, 2))
        both = jnp.stack([0.75 * x + 0.25 * previous, 0.75 * x + 0.25 * following], axis + 1)
        x = both.reshape(*x.shape[:axis], 2 * n, *x.shape[axis + 1 :])
    return x


def downsample(x: Images) -> Convolved:
    """Blurs and keeps every second pixel: `[B, H, W, C]` to `[B, floor(H / 2), floor(W / 2), C]`.

    On each axis `y_i = (x_{2i-1} + 3 x_{2i} + 3 x_{2i+1} + x_{2i+2}) / 8`, with zeros beyond the edge.
    """
    for axis in AXES:
        n = x.shape[axis] // 2
        pairs = lax.slice_in_dim(_pad(x, 1, 1, axis), 0, 2 * n + 2, axis=axis)
        pairs = pairs.reshape(*x.shape[:axis], n + 1, 2, *x.shape[axis + 1 :])
        even, odd = (lax.index_in_dim(pairs, i, axis + 1, keepdims=False) for i in (0, 1))
        ahead, behind = 0.125 * even + 0.375 * odd, 0.375 * even + 0.125 * odd
        x = lax.slice_in_dim(ahead, 0, n, axis=axis) + lax.slice_in_dim(behind, 1, n + 1, axis=axis)
    return x


def _pad(x: Images, before: int, after: int, axis: int) -> Convolved:
    """Adds zeros at both ends of one axis."""
    return jnp.pad(x, [(before, after) if i == axis else (0, 0) for i in range(x.ndim)])

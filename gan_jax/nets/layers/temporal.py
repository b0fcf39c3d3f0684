"""`Conv1d` and `ConvTranspose1d` of sequences `[B, T, C]`: equal to `flax.linen`'s in values, fast on a CPU too.

As in `nets.layers.convolution`, they are one matrix product on a CPU, where XLA's convolutions are slow inside loops.
With a stride s, every s samples of a sequence are first read as one of s C channels, which copies nothing: a kernel of
25 samples and stride 4 then covers 7 of these, in place of 25 slices of every fourth sample.

In a loop on one core, forwards and backwards, WaveGAN's layers and GAN-TTS's are 7 to 70 times as fast as the library's
convolutions, and up to twice as fast as with one slice per sample of the kernel. Seven products of slices, summed, take
the same time within the noise.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.nets.layers import convolution
from gan_jax.nets.layers.convolution import apply, product, same_padding

LAYOUT = ("NWC", "WIO", "NWC")

Sequences = Float[Array, "B T C"]
Convolved = Float[Array, "B T_out C_out"]
Kernel = Float[Array, "k C_in C_out"]


class Conv1d(nn.Module):
    """A convolution, `[B, T, C]` to `[B, ceil(T / stride), features]`; `SAME` padding with zeros.

    With `dilation`, the samples that a kernel covers are that far apart; not together with a stride. Parameters
    `kernel` `[k, C, features]` and `bias` as in `flax.linen.Conv`. Computed in `dtype`, by default the dtype of input
    and parameters.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    dilation: int = 1
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: Sequences) -> Convolved:
        """Convolves `x` and adds the bias.

        Raises:
            ValueError: stride and dilation are both larger than 1.
        """
        return apply(self, partial(conv, stride=self.stride, dilation=self.dilation), x)


class ConvTranspose1d(nn.Module):
    """A transposed convolution, `[B, T, C]` to `[B, T stride, features]`; `SAME` padding.

    `length` gives `[B, length, features]` instead, where ceil(length / stride) must be T. Parameters `kernel`
    `[k, C, features]` and `bias` as in `flax.linen.ConvTranspose`. Computed in `dtype`, by default the dtype of input
    and parameters.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    length: int | None = None
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: Sequences) -> Convolved:
        """Convolves `x`, transposed, and adds the bias.

        Raises:
            ValueError: `length` and stride do not fit the length of `x`.
        """
        return apply(self, partial(conv_transpose, stride=self.stride, length=self.length), x)


def conv(x: Sequences, kernel: Kernel, stride: int = 1, dilation: int = 1) -> Convolved:
    """Computes the convolution, in the form that is fastest on the backend."""
    if min(stride, dilation) > 1:
        raise ValueError(f"stride {stride} and dilation {dilation} are not supported together: one of them must be 1")
    k = kernel.shape[0]
    if not convolution.products_are_faster():
        padding = same_padding(x.shape[1:2], (k - 1) * dilation + 1, stride)
        return lax.conv_general_dilated(
            x, kernel, (stride,), padding, rhs_dilation=(dilation,), dimension_numbers=LAYOUT
        )
    return product(_windows(x, k, stride, dilation), _matrix(kernel, stride))


def conv_transpose(x: Sequences, kernel: Kernel, stride: int = 1, length: int | None = None) -> Convolved:
    """Computes the transpose of the convolution from sequences of `length`, by default `stride` times that of `x`.

    Raises:
        ValueError: a convolution of sequences of `length` does not have the length of `x`.
    """
    k, _, c_out = kernel.shape
    length = length or stride * x.shape[1]
    if math.ceil(length / stride) != x.shape[1]:
        raise ValueError(f"a convolution of stride {stride} maps {length} to another length than {x.shape[1]}")
    if not convolution.products_are_faster():
        [(before, _)] = same_padding((length,), k, stride)
        dilated = (k - 1 - before, before + length - 1 - stride * (x.shape[1] - 1))
        return lax.conv_transpose(x, kernel, (stride,), [dilated], dimension_numbers=LAYOUT)
    windows = product(x, _matrix(kernel[::-1].swapaxes(1, 2), stride).T)
    sequences = jax.ShapeDtypeStruct((len(x), length, c_out), windows.dtype)
    (y,) = jax.linear_transpose(lambda y: _windows(y, k, stride, 1), sequences)(windows)
    return y


@partial(jax.jit, static_argnums=(1, 2, 3))  # traced once for all layers and derivatives of one shape
def _windows(x: Sequences, k: int, stride: int, dilation: int) -> Float[Array, "B T_out K"]:
    """Extracts what a kernel covers at every place, with zeros behind k to a multiple of the stride, into channels."""
    b, n, c = x.shape
    [(before, _)] = same_padding((n,), (k - 1) * dilation + 1, stride)
    taps, windows = math.ceil(k / stride), math.ceil(n / stride)
    groups = windows + (taps - 1) * dilation
    x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), (before, stride * groups - n - before, 0), (0, 0, 0)))
    x = x.reshape(b, groups, stride * c)
    return jnp.concatenate([lax.slice_in_dim(x, i * dilation, i * dilation + windows, axis=1) for i in range(taps)], -1)


def _matrix(kernel: Kernel, stride: int) -> Float[Array, "K C_out"]:
    """Arranges a kernel for the product with windows."""
    k, _, c_out = kernel.shape
    return jnp.pad(kernel, ((0, -k % stride), (0, 0), (0, 0))).reshape(-1, c_out)

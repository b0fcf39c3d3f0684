"""`Conv` and `ConvTranspose`: those of `flax.linen` in value, in parameters and in gradients, but fast on a CPU too.

On a GPU or TPU they are the library's convolutions. On a CPU XLA's convolution is several times slower inside a loop
(and training plays its steps inside a loop), and its transposed one is slow everywhere, while its matrix product is
fast everywhere. So there a convolution is one matrix product and one copy, on either side of it:

    gather    [B, H, W, C] -> [B, H', W', k k C]    the k x k window under every output (im2col), then the product
    scatter   [B, H, W, k k C] -> [B, H', W', C]    the product, then its k x k windows overlap and add up (col2im)

Each is the derivative of the other, and JAX finds that by itself (slices and a concatenation against pads and a sum).
So no derivative is written by hand, both gradients of a layer are products too, and every mode of differentiation
works any number of times.
"""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

LAYOUT = ("NHWC", "HWIO", "NHWC")

Images = Float[Array, "B H W C_in"]
Convolved = Float[Array, "B H_out W_out C_out"]
Kernel = Float[Array, "k k C_in C_out"]
Windows = Float[Array, "B H_out W_out kkC"]
Padding = list[tuple[int, int]]


class Conv(nn.Module):
    """A convolution, `[B, H, W, C]` to `[B, ceil(H / stride), ceil(W / stride), features]`; `SAME` padding.

    Parameters `kernel` `[k, k, C, features]` and `bias` as in `flax.linen.Conv`. Computed in `dtype`, by default that
    of input and parameters.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """The convolution of `x`, plus the bias."""
        return _layer(self, partial(conv, stride=self.stride), x)


class ConvTranspose(nn.Module):
    """A transposed convolution, `[B, H, W, C]` to `[B, H stride, W stride, features]`; `SAME` padding.

    With `size` to `[B, size, size, features]`: the transpose of a convolution that makes H of `size`, as 4 of 7 pixels.

    Parameters `kernel` `[k, k, C, features]` and `bias` as in `flax.linen.ConvTranspose`. Computed in `dtype`, by
    default that of input and parameters.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    size: int | None = None
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """The transposed convolution of `x`, plus the bias.

        Raises:
            ValueError: no convolution of this stride makes the size of `x` of `size`.
        """
        size = self.size and (self.size, self.size)
        return _layer(self, partial(conv_transpose, stride=self.stride, size=size), x)


def _layer(module: Conv | ConvTranspose, convolve: Callable, x: Images) -> Convolved:
    """What the two layers share: the parameters and the bias."""
    shape = (module.kernel_size, module.kernel_size, x.shape[-1], module.features)
    kernel = module.param("kernel", module.kernel_init, shape)
    bias = module.param("bias", nn.initializers.zeros, shape[-1:])
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=module.dtype)
    y = convolve(x, kernel)
    return y + bias.reshape(1, 1, 1, -1)


def conv(x: Images, kernel: Kernel, stride: int = 1) -> Convolved:
    """`SAME` convolution, in the form that is fastest where it runs."""
    if not products_are_faster():
        return lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=LAYOUT)
    k, _, c_in, c_out = kernel.shape
    size = x.shape[1:3]
    padding = same_padding(size, k, stride)
    if stride == 1 and c_out < c_in:  # the copy is narrower on the far side of the product
        mirrored = [(after, before) for before, after in padding]
        return scatter(_windows(x, kernel), k, stride, mirrored, size)
    return _product(gather(x, k, stride, padding), kernel.reshape(k * k * c_in, c_out))


def conv_transpose(x: Images, kernel: Kernel, stride: int = 1, size: tuple[int, int] | None = None) -> Convolved:
    """The transpose of the `SAME` convolution that makes images like `x` of images of `size`, by default `stride` times
    as large, in the form that is fastest where it runs.

    With the default size it is `lax.conv_transpose`.

    Raises:
        ValueError: there is no such convolution.
    """
    k = kernel.shape[0]
    size = size or (x.shape[1] * stride, x.shape[2] * stride)
    if tuple(math.ceil(n / stride) for n in size) != x.shape[1:3]:
        raise ValueError(f"a convolution of stride {stride} does not make {x.shape[1:3]} of {size}")
    padding = same_padding(size, k, stride)
    if not products_are_faster():
        dilated = [(k - 1 - before, k - 1 - after) for before, after in padding]
        return lax.conv_transpose(x, kernel, (stride, stride), dilated, dimension_numbers=LAYOUT)
    return scatter(_windows(x, kernel), k, stride, padding, size)


def products_are_faster() -> bool:
    """Whether convolutions are written as matrix products: on a CPU. Both forms are right everywhere."""
    return jax.default_backend() == "cpu"


def gather(x: Images, k: int, stride: int, padding: Padding) -> Windows:
    """The `k x k` windows of padded `x`, `stride` apart, each laid out in the channels of its position.

    Every element of a window is one slice without gaps of one of the `stride x stride` images that are left where only
    every `stride`-th row and column is kept. The derivative adds slices up that have no gaps either, and lays these
    images into each other once.
    """
    b, *size, c = x.shape
    windows, phases, whole = [], [], []
    for n, (before, after) in zip(size, padding, strict=True):
        windows.append((n + before + after - k) // stride + 1)
        phases.append(windows[-1] + (k - 1) // stride)
        whole.append((before, stride * phases[-1] - n - before))
    x = jnp.pad(x, ((0, 0), *whole, (0, 0))).reshape(b, phases[0], stride, phases[1], stride, c)
    every = [lax.split(rows, (1,) * stride, axis=4) for rows in lax.split(x, (1,) * stride, axis=2)]

    def tap(i: int, j: int) -> Images:
        """Element `i, j` of every window."""
        phase = every[i % stride][j % stride].reshape(b, *phases, c)
        top, left = i // stride, j // stride
        return phase[:, top : top + windows[0], left : left + windows[1]]

    return jnp.concatenate([tap(i, j) for i in range(k) for j in range(k)], axis=-1)


def scatter(windows: Windows, k: int, stride: int, padding: Padding, size: tuple[int, int]) -> Images:
    """The transpose of `gather`: images of `size`, the sums of their overlapping windows."""
    b, _, _, c = windows.shape
    images = jax.ShapeDtypeStruct((b, *size, c // k**2), windows.dtype)
    (x,) = jax.linear_transpose(lambda x: gather(x, k, stride, padding), images)(windows)
    return x


def same_padding(size: tuple[int, int], k: int, stride: int) -> Padding:
    """What `SAME` puts before and after each axis; the odd one out goes after."""
    total = [max((math.ceil(n / stride) - 1) * stride + k - n, 0) for n in size]
    return [(t // 2, t - t // 2) for t in total]


def _windows(x: Images, kernel: Kernel) -> Float[Array, "B H W kkC"]:
    """What every position adds to the window around it: the kernel mirrored, for it is seen from the input's side."""
    return _product(x, jnp.moveaxis(kernel[::-1, ::-1], 2, 0).reshape(x.shape[-1], -1))


def _product(x: Images, matrix: Float[Array, "C_in C_out"]) -> Float[Array, "B H W C_out"]:
    """`x @ matrix`, flattened: XLA would transpose a copy of `x` for a gradient that sums over three axes."""
    return (x.reshape(-1, x.shape[-1]) @ matrix).reshape(*x.shape[:-1], -1)

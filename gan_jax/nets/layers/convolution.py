"""`Conv` and `ConvTranspose`: equal to `flax.linen`'s in values, parameters and gradients, but fast on a CPU too.

On a GPU or TPU they call the library's convolutions. On a CPU, XLA's convolution is several times slower inside a loop
(where training runs its steps), and its transposed convolution is slow everywhere, while matrix products are fast. So
on a CPU a convolution is one matrix product, before or after one copy:

    gather    [B, H, W, C] -> [B, H', W', k k C]    im2col: the k x k window of every output, then the product
    scatter   [B, H, W, k k C] -> [B, H', W', C]    col2im: the product, then overlapping k x k windows are summed

The two are transposes of each other, and JAX derives one from the other (slices and a concatenation against pads and a
sum). So both gradients of a layer are matrix products too, and derivatives of any mode and order work.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

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
Padding = tuple[tuple[int, int], ...]
Border = Literal["SAME", "REFLECT"] | int
"""`SAME` zeros, as many pixels reflected at the edge, or a number of zeros on every side, less than the kernel size."""


class Conv(nn.Module):
    """A convolution, `[B, H, W, C]` to `[B, ceil(H / stride), ceil(W / stride), features]`.

    `border` is `SAME` or `REFLECT`; with a number of pixels p, the output has `(H + 2 p - k) // stride + 1` rows.
    Parameters `kernel` `[k, k, C, features]` and `bias` as in `flax.linen.Conv`. Computed in `dtype`, by default the
    dtype of input and parameters.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    border: Border = "SAME"

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Convolves `x` and adds the bias."""
        return apply(self, partial(conv, stride=self.stride, border=self.border), x)


class ConvTranspose(nn.Module):
    """A transposed convolution, `[B, H, W, C]` to `[B, H stride, W stride, features]`; `SAME` padding.

    `size` gives `[B, size, size, features]` instead, where ceil(size / stride) must be H and W: 4 to 7 pixels with
    stride 2.

    Parameters `kernel` `[k, k, C, features]` and `bias` as in `flax.linen.ConvTranspose`. Computed in `dtype`, by
    default the dtype of input and parameters.
    """

    features: int
    kernel_size: int = 3
    stride: int = 1
    size: int | None = None
    dtype: DTypeLike | None = None
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Convolves `x`, transposed, and adds the bias.

        Raises:
            ValueError: `size` and stride do not fit the size of `x`.
        """
        size = self.size and (self.size, self.size)
        return apply(self, partial(conv_transpose, stride=self.stride, size=size), x)


def apply(
    module: nn.Module, convolve: Callable[[Array, Array], Array], x: Float[Array, "B *size C_in"]
) -> Float[Array, "B *size_out C_out"]:
    """Creates the parameters of a layer with the fields of `Conv`, convolves all inner axes and adds the bias."""
    shape = (*(x.ndim - 2) * (module.kernel_size,), x.shape[-1], module.features)
    kernel = module.param("kernel", module.kernel_init, shape, jnp.float32)
    bias = module.param("bias", nn.initializers.zeros, shape[-1:], jnp.float32)
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=module.dtype)
    y = convolve(x, kernel)
    return y + bias.reshape(*(y.ndim - 1) * (1,), -1)


def conv(x: Images, kernel: Kernel, stride: int = 1, border: Border = "SAME") -> Convolved:
    """Computes the convolution, in the form that is fastest on the backend."""
    k, _, c_in, c_out = kernel.shape
    padding = same_padding(x.shape[1:3], k, stride) if isinstance(border, str) else ((border, border),) * 2
    if border == "REFLECT":
        x, padding = jnp.pad(x, ((0, 0), *padding, (0, 0)), mode="reflect"), ((0, 0), (0, 0))
    if not products_are_faster():
        return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=LAYOUT)
    # Faster from 7 x 7 on. LAPGAN's 7 x 7, with SAME borders, keep the other order of sums and so the bits of its runs.
    by_axes = stride == 1 and (k > 7 or (k == 7 and border == "REFLECT"))
    if stride == 1 and c_out < c_in:  # fewer channels to copy after the product
        size = tuple(n + sum(pads) - k + 1 for n, pads in zip(x.shape[1:3], padding, strict=True))
        mirrored = tuple((k - 1 - before, k - 1 - after) for before, after in padding)
        return scatter(_windows(x, kernel), k, stride, mirrored, size, by_axes)
    return product(gather(x, k, stride, padding, by_axes), kernel.reshape(k * k * c_in, c_out))


def conv_transpose(
    x: Images,
    kernel: Kernel,
    stride: int = 1,
    size: tuple[int, int] | None = None,
    border: Literal["SAME"] | int = "SAME",
) -> Convolved:
    """Computes the transpose of the convolution with this `border` from images of `size` to images like `x`.

    For `SAME`, the default size is `stride` times that of `x`, as in `lax.conv_transpose`. For p pixels of border it is
    always `(n - 1) stride + k - 2 p`: the windows of all pixels of `x` side by side, without p pixels at every edge.

    Raises:
        ValueError: a convolution of images of `size` does not have the size of `x`.
    """
    k = kernel.shape[0]
    if border == "SAME":
        size = size or (x.shape[1] * stride, x.shape[2] * stride)
        if tuple(math.ceil(n / stride) for n in size) != x.shape[1:3]:
            raise ValueError(f"a convolution of stride {stride} maps {size} to another size than {x.shape[1:3]}")
        padding = same_padding(size, k, stride)
    else:
        size = tuple((n - 1) * stride + k - 2 * border for n in x.shape[1:3])
        padding = ((border, border),) * 2
    if not products_are_faster():
        dilated = [(k - 1 - before, k - 1 - after) for before, after in padding]
        return lax.conv_transpose(x, kernel, (stride, stride), dilated, dimension_numbers=LAYOUT)
    return scatter(_windows(x, kernel), k, stride, padding, size)


def products_are_faster() -> bool:
    """Whether to compute convolutions as matrix products: on a CPU. Both forms are correct on every backend."""
    return jax.default_backend() == "cpu"


@partial(jax.jit, static_argnums=(1, 2, 3, 4))  # traced once for all layers and derivatives of one shape
def gather(x: Images, k: int, stride: int, padding: Padding, by_axes: bool = False) -> Windows:
    """Extracts the `k x k` windows of padded `x`, `stride` apart, into channels (im2col).

    `x` is first split into its `stride x stride` phases (every `stride`-th row and column), so that each window element
    is a contiguous slice of one phase. The transpose then sums contiguous slices, and interleaves the phases once.

    `by_axes`, at stride 1, extracts k columns, then k rows of them: 2 k copies in place of k^2.
    """
    if by_axes:
        return _gather_axis(_gather_axis(x, k, 2, padding[1]), k, 1, padding[0])
    b, *size, c = x.shape
    windows, phases, pads = [], [], []
    for n, (before, after) in zip(size, padding, strict=True):
        windows.append((n + before + after - k) // stride + 1)
        phases.append(windows[-1] + (k - 1) // stride)
        pads.append((before, stride * phases[-1] - n - before))
    x = jnp.pad(x, ((0, 0), *pads, (0, 0))).reshape(b, phases[0], stride, phases[1], stride, c)
    grid = [lax.split(rows, (1,) * stride, axis=4) for rows in lax.split(x, (1,) * stride, axis=2)]

    def tap(i: int, j: int) -> Images:
        """Slices element `i, j` of every window."""
        phase = grid[i % stride][j % stride].reshape(b, *phases, c)
        top, left = i // stride, j // stride
        return lax.slice(phase, (0, top, left, 0), (b, top + windows[0], left + windows[1], c))

    return jnp.concatenate([tap(i, j) for i in range(k) for j in range(k)], axis=-1)


def _gather_axis(x: Images, k: int, axis: int, pads: tuple[int, int]) -> Float[Array, "B _ _ kC"]:
    """Extracts the windows of `k` pixels along one axis of padded `x`, one pixel apart, into channels."""
    windows = x.shape[axis] + sum(pads) - k + 1
    x = jnp.pad(x, [pads if i == axis else (0, 0) for i in range(4)])
    return jnp.concatenate([lax.slice_in_dim(x, i, i + windows, axis=axis) for i in range(k)], axis=-1)


@partial(jax.jit, static_argnums=(1, 2, 3, 4, 5))
def scatter(
    windows: Windows, k: int, stride: int, padding: Padding, size: tuple[int, int], by_axes: bool = False
) -> Images:
    """Sums overlapping windows into images of `size` (col2im): the transpose of `gather`."""
    b, _, _, c = windows.shape
    images = jax.ShapeDtypeStruct((b, *size, c // k**2), windows.dtype)
    (x,) = jax.linear_transpose(lambda x: gather(x, k, stride, padding, by_axes), images)(windows)
    return x


def same_padding(size: tuple[int, ...], k: int, stride: int) -> Padding:
    """Computes `SAME` padding (before, after) of every axis; an odd total has one more after."""
    total = [max((math.ceil(n / stride) - 1) * stride + k - n, 0) for n in size]
    return tuple((t // 2, t - t // 2) for t in total)


def _windows(x: Images, kernel: Kernel) -> Float[Array, "B H W kkC"]:
    """Computes what every pixel adds to the window around it: its product with the mirrored kernel."""
    return product(x, jnp.moveaxis(kernel[::-1, ::-1], 2, 0).reshape(x.shape[-1], -1))


def product(x: Float[Array, "B *size C_in"], matrix: Float[Array, "C_in C_out"]) -> Float[Array, "B *size C_out"]:
    """Computes `x @ matrix` on flattened `x`: a gradient summed over several axes would transpose a copy of `x`."""
    return (x.reshape(-1, x.shape[-1]) @ matrix).reshape(*x.shape[:-1], -1)

"""Modulated convolution: a style scales the input channels of the kernel, for every example on its own."""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.nets.layers.blur import upsampling_conv
from gan_jax.nets.layers.convolution import Convolved, Images, Kernel, apply, conv

Styles = Float[Array, "B C_in"]


class ModulatedConv(nn.Module):
    """A convolution whose kernel is scaled by styles, `[B, H, W, C]` to `[B, H, W, features]`, plus a bias.

        w'_ijk = s_i w_ijk        w''_ijk = w'_ijk / sqrt(sum_ik w'_ijk^2 + 1e-8)

    The second equation, demodulation, gives every output channel of every example the variance that it has for an input
    of independent values of unit variance. With `up` the output has twice the size (`upsampling_conv`).

    Karras et al. 2020, eq. 1 to 3 (https://arxiv.org/abs/1912.04958).
    """

    features: int
    kernel_size: int = 3
    up: bool = False
    demodulate: bool = True
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, styles: Styles) -> Convolved:
        """Convolves `x` with the kernel of each example's style and adds the bias."""
        convolve = upsampling_conv if self.up else conv

        def modulated(x: Images, kernel: Kernel) -> Convolved:
            y = convolve(x * styles.astype(x.dtype)[:, None, None], kernel)  # one kernel for all examples
            if not self.demodulate:
                return y
            return y * demodulation(kernel.astype(styles.dtype), styles).astype(y.dtype)[:, None, None]

        return apply(self, modulated, x)


def demodulation(kernel: Kernel, styles: Styles) -> Float[Array, "B C_out"]:
    """Computes `1 / sqrt(sum_ik w'_ijk^2 + 1e-8)` as a product of two matrices."""
    return lax.rsqrt(jnp.square(styles) @ jnp.sum(jnp.square(kernel), axis=(0, 1)) + 1e-8)

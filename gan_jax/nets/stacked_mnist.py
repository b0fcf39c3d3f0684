"""The networks of the mode collapse benchmark on Stacked-MNIST: a discriminator too small to notice missing modes.

Metz et al. 2017, "Unrolled generative adversarial networks", sec. 3.3.1 (https://arxiv.org/abs/1611.02163), with the
sizes of the program of Lin et al. 2018, "PacGAN" (https://arxiv.org/abs/1712.04086): a discriminator of "half the
generator's size" has 4, 8 and 16 maps, one of a quarter 2, 4 and 8. Kernels are drawn from N(0, 0.02^2). Batch norm is
after every convolution but the generator's last and, unlike in that program, the discriminator's first: real and fake
batches are normalized separately, so batch norm in the first layer removes differences of brightness and contrast
(digits stayed gray on gray for 16,000 steps).
"""

import math

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.nets import dcgan
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.normalization import BatchNorm

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """`z [B, Z]` to images `[B, size, size, channels]` in [-1, 1], where `size` is 28 or 32.

    A Dense layer to 4 x 4 x 64, transposed convolutions of stride 2 to 32, 16 and 8 maps, batch norm and ReLU after
    each, then a convolution and tanh. Sizes are 4, 7, 14, 28 or 4, 8, 16, 32 pixels.
    """

    size: int = 28
    channels: int = 3
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B H W C"]:
        """Generates images."""

        def active(x: Array) -> Array:
            return nn.relu(BatchNorm(momentum=0.9)(x))

        shape = (4, 4, 64)
        x = active(nn.Dense(math.prod(shape), dtype=self.dtype, kernel_init=INITIAL)(z).reshape(-1, *shape))
        for width, side in ((32, self.size // 4), (16, self.size // 2), (8, self.size)):
            x = active(ConvTranspose(width, stride=2, size=side, dtype=self.dtype, kernel_init=INITIAL)(x))
        return nn.tanh(Conv(self.channels, dtype=self.dtype, kernel_init=INITIAL)(x).astype(jnp.float32))


def discriminator(width: int = 2, top: nn.Module | None = None) -> dcgan.Discriminator:
    """Builds a discriminator of images `[B, H, W, C]`: three convolutions of stride 2, then one logit.

    Args:
        width: maps of the first layer; the next two have 2 and 4 times as many.
        top: optional layer between the flat features and the logit.
    """
    widths = (width, 2 * width, 4 * width)
    return dcgan.Discriminator(widths, slope=0.3, dropout=0.0, norm=True, top=top, kernel_init=INITIAL)

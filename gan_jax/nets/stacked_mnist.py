"""A small generator against a discriminator smaller still, which overlooks it when digits go missing.

The networks on which mode collapse is counted with Stacked-MNIST: Metz et al. 2017, "Unrolled generative adversarial
networks", sec. 3.3.1, with the sizes of their appendix as the authors of Lin et al. 2018, "PacGAN", have them in their
program. There the discriminator of "half the generator's size" has 4, 8 and 16 maps, that of a quarter 2, 4 and 8,
which a size of 1 continues; kernels are drawn from N(0, 0.02^2), and batch norm is after every convolution but the
generator's last and, unlike there, the discriminator's first: as real images and fake ones are normalized apart, it
would see neither brightness nor contrast, and after 16,000 steps the digits were still gray on gray.
"""

import math

from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.nets import dcgan
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.normalization import BatchNorm

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """`z [B, Z]` to images `[B, size, size, channels]` in [-1, 1], where `size` is 28 or 32.

    A Dense layer to 4 x 4 x 64, transposed convolutions to 32, 16 and 8 maps that each double the size, ReLU after
    each, and a convolution with tanh. 28 x 28 pixels are grown from 4 by way of 7 and 14.
    """

    size: int = 28
    channels: int = 3

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B H W C"]:
        """Images from latents."""

        def active(x: Array) -> Array:
            return nn.relu(BatchNorm(momentum=0.9)(x))

        shape = (4, 4, 64)
        x = active(nn.Dense(math.prod(shape), kernel_init=INITIAL)(z).reshape(-1, *shape))
        for width, side in ((32, self.size // 4), (16, self.size // 2), (8, self.size)):
            x = active(ConvTranspose(width, stride=2, size=side, kernel_init=INITIAL)(x))
        return nn.tanh(Conv(self.channels, kernel_init=INITIAL)(x))


def discriminator(width: int = 2, top: nn.Module | None = None) -> dcgan.Discriminator:
    """Images `[B, H, W, C]` to scores `[B]`: convolutions of stride 2 with batch norm and LeakyReLU, then one logit.

    Args:
        width: maps of the first layer; the next have twice and four times as many.
        top: a layer between the flat features and the logit, if there is to be one.
    """
    widths = (width, 2 * width, 4 * width)
    return dcgan.Discriminator(widths, slope=0.3, dropout=0.0, norm=True, top=top, kernel_init=INITIAL)

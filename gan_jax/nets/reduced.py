"""A small generator against a discriminator smaller still, which overlooks it when digits go missing.

The networks on which mode collapse is counted with Stacked-MNIST: Metz et al. 2017, "Unrolled generative adversarial
networks", sec. 3.3.1, with the sizes of their appendix as the authors of Lin et al. 2018, "PacGAN", have them in their
program. There the discriminator of "half the generator's size" has 4, 8 and 16 maps, that of a quarter 2, 4 and 8,
which a size of 1 continues; batch norm is after every convolution but the generator's last. Weights are drawn as
elsewhere here (LeCun), not from N(0, 0.02^2).
"""

import math

from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.game import Keys
from gan_jax.nets.convolution import Conv, ConvTranspose
from gan_jax.nets.layers import BatchNorm


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
        x = active(nn.Dense(math.prod(shape))(z).reshape(-1, *shape))
        for width, side in ((32, self.size // 4), (16, self.size // 2), (8, self.size)):
            x = active(ConvTranspose(width, stride=2, size=side)(x))
        return nn.tanh(Conv(self.channels)(x))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]`: per width a stride 2 convolution, batch norm, LeakyReLU; then one logit.

    `top`, if there is one, is a layer between the flat features and the logit.
    """

    widths: tuple[int, ...] = (2, 4, 8)
    top: nn.Module | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images; the keys are not needed."""
        for width in self.widths:
            x = nn.leaky_relu(BatchNorm(momentum=0.9)(Conv(width, stride=2)(x)), 0.3)
        x = x.reshape(x.shape[0], -1)
        return nn.Dense(1)(x if self.top is None else self.top(x)).squeeze(-1)

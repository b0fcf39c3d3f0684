"""The networks of the auxiliary classifier GAN, for small images.

Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", appendix A
(https://arxiv.org/abs/1610.09585): a generator of transposed convolutions, and a discriminator of six convolutions
under heavy dropout. The paper's activation noise is left out.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Keys
from gan_jax.nets import dcgan
from gan_jax.nets.layers.conditioning import concat_codes
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.nets.pair import Pair
from gan_jax.priors import Categorical

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """`z [B, Z]` and classes `y [B]` to images `[B, H, W, C]`: a DCGAN generator of the noise and the one-hot class.

    A Dense layer to the widest maps, then per width a transposed 5 x 5 convolution of stride 2 (28 pixels: 4, 7, 14,
    28). ReLU, and batch norm in every layer but the last (in the Dense layer too, unlike the paper).
    """

    classes: int
    channels: int
    size: int
    widths: tuple[int, ...]
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Int[Array, " B"]) -> Float[Array, "B H W C"]:
        """Generates images of classes `y`."""
        generator = dcgan.Generator(
            self.channels,
            self.size,
            self.widths,
            strides=(2,) * len(self.widths),
            kernel_size=5,
            slope=0.0,
            norm=True,
            kernel_init=INITIAL,
            dtype=self.dtype,
        )
        return generator(concat_codes(z, {"y": Categorical(self.classes)}, {"y": y}))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]` and class logits `[B, classes]`, from one Dense layer.

    Six 3 x 3 convolutions: each doubles the maps, every other one halves the size. Batch norm in all but the first,
    LeakyReLU 0.2, dropout.
    """

    classes: int
    width: int = 16
    dropout: float = 0.5
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], keys: Keys | None = None
    ) -> tuple[Float[Array, " B"], Float[Array, "B K"]]:
        """Computes scores and class logits; `keys` turn dropout on."""
        for i in range(6):
            stride = 1 if i % 2 else 2
            x = Conv(self.width * 2**i, stride=stride, dtype=self.dtype, kernel_init=INITIAL)(x)
            x = BatchNorm(momentum=0.9)(x) if i else x
            x = Dropout(self.dropout)(nn.leaky_relu(x, 0.2), keys)
        flat = x.reshape(x.shape[0], -1).astype(jnp.float32)
        source_and_class = nn.Dense(1 + self.classes, kernel_init=INITIAL)(flat)
        return source_and_class[:, 0], source_and_class[:, 1:]


def paper(shape: tuple[int, ...], classes: int, width: int = 16, dropout: float = 0.5) -> Pair:
    """Builds the paper's networks for square images `[H, H, C]`; the defaults at 32 x 32 are those for CIFAR-10.

    The generator has 24, 12 and 6 `width` maps, beginning at an eighth of the size: 32 x 32 pixels begin with 4 x 4,
    64 x 64 with 8 x 8. Images of up to 16 pixels drop the widest maps.

    Args:
        shape: of the images.
        classes: number of classes.
        width: maps of the discriminator's first layer.
        dropout: rate in every layer of the discriminator.

    Raises:
        BadInput: the images are not square, or have fewer than 9 pixels a side.
    """
    dcgan.check_square(shape)
    size, _, channels = shape
    widths = (24 * width, 12 * width, 6 * width) if size > 16 else (12 * width, 6 * width)
    return Pair(Generator(classes, channels, size, widths), Discriminator(classes, width, dropout))

"""The networks of the auxiliary classifier GAN for small images.

Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", appendix A: transposed convolutions in
the generator, six convolutions under heavy dropout in the discriminator. Its activation noise is left out.
"""

from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Keys
from gan_jax.engine.priors import Categorical
from gan_jax.errors import BadInput
from gan_jax.nets import dcgan
from gan_jax.nets.layers.conditioning import joined
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm

INITIAL = nn.initializers.normal(0.02)


class Generator(nn.Module):
    """`z [B, Z]` and classes `y [B]` to images `[B, H, W, C]`: a DCGAN generator of the noise and the one-hot class.

    A Dense layer to the widest maps, then for every width a transposed 5 x 5 convolution that doubles the size (to 7
    from 4 for 28). ReLU, and batch norm in all layers but the last (in the Dense layer too, where the paper has none).
    """

    classes: int
    channels: int
    size: int
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Int[Array, " B"]) -> Float[Array, "B H W C"]:
        """Images of classes."""
        doubled = dcgan.Generator(
            self.channels,
            self.size,
            self.widths,
            strides=(2,) * len(self.widths),
            kernel_size=5,
            slope=0.0,
            norm=True,
            kernel_init=INITIAL,
        )
        return doubled(joined(z, {"y": Categorical(self.classes)}, {"y": y}))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]` and class logits `[B, classes]`, from one Dense layer.

    Six 3 x 3 convolutions, each with twice the maps of the one before, every other one halving the size; batch norm in
    all but the first, LeakyReLU 0.2, dropout.
    """

    classes: int
    width: int = 16
    dropout: float = 0.5

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], keys: Keys | None = None
    ) -> tuple[Float[Array, " B"], Float[Array, "B K"]]:
        """Scores and class logits of images; with `keys`, one per example, under dropout."""
        for i in range(6):
            x = Conv(self.width * 2**i, kernel_size=3, stride=1 if i % 2 else 2, kernel_init=INITIAL)(x)
            x = BatchNorm(momentum=0.9)(x) if i else x
            x = Dropout(self.dropout)(nn.leaky_relu(x, 0.2), keys)
        flat = x.reshape(x.shape[0], -1).astype(jnp.float32)
        source_and_class = nn.Dense(1 + self.classes, kernel_init=INITIAL)(flat)
        return source_and_class[:, 0], source_and_class[:, 1:]


class Pair(NamedTuple):
    """Networks that fit each other."""

    g: Generator
    d: Discriminator


def paper(shape: tuple[int, ...], classes: int, width: int = 16, dropout: float = 0.5) -> Pair:
    """The paper's networks for square images `[H, H, C]`; by default, of 32 x 32 pixels, those for CIFAR-10.

    Its generator has 384, 192 and 96 maps from 4 x 4 pixels on: 28 x 28 pixels come from 4, 7 and 14, and 64 x 64 begin
    with 8 x 8. Images of up to 16 pixels take the last two.

    Args:
        shape: of the images.
        classes: how many there are.
        width: maps of the discriminator's first layer, a sixth of those of the generator's last hidden one.
        dropout: in every layer of the discriminator.

    Raises:
        BadInput: the images are not square, or have fewer than 9 pixels a side.
    """
    if len(shape) != 3 or shape[0] != shape[1] or shape[0] < 9:
        size = "x".join(map(str, shape))
        raise BadInput(f"images of {size} cannot be made: they must be square, of 9 pixels or more")
    size, _, channels = shape
    widths = (24 * width, 12 * width, 6 * width) if size > 16 else (12 * width, 6 * width)
    return Pair(Generator(classes, channels, size, widths), Discriminator(classes, width, dropout))

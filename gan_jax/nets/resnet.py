"""The residual networks of SNGAN, told the labels or not.

Miyato et al. 2018, "Spectral normalization for generative adversarial networks", Table 4, for CIFAR-10. Told the labels
they are those of Miyato and Koyama 2018, "cGANs with projection discriminator": the blocks of the generator have
conditional batch norm, and the discriminator adds the inner product of its features and an embedding of the label.
What the tables leave open (kernels' scale, where shortcuts are pooled, no bias at the logit) is as in the authors'
program. `pair` makes networks that fit the data.

A convolution after doubling, or before averaging two by two, is one of 4 x 4 taps on the small side: equal in value,
and less than half of the work.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets.layers.conditioning import GLOROT, Labels, Projection
from gan_jax.nets.layers.convolution import Conv, Convolved, Kernel, conv, conv_transpose
from gan_jax.nets.layers.normalization import BatchNorm, ConditionalBatchNorm
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.projection import Images

RESIDUAL = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
"""Of the convolutions in a block: Glorot's, the standard deviation times sqrt(2)."""


class Generator(nn.Module):
    """`z [B, Z]` and, where there are `classes`, labels to images `[B, H, W, channels]` in [-1, 1].

    A Dense layer to `[B, base, base, width]`, `blocks` residual blocks that double the size, batch norm, ReLU, a
    convolution, tanh. The batch norms of the blocks are conditional where there are classes.
    """

    channels: int = 3
    base: int = 4
    blocks: int = 3
    width: int = 256
    classes: int = 0

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Labels | None = None) -> Images:
        """Images from latents, of classes `y`."""
        x = nn.Dense(self.base**2 * self.width, kernel_init=GLOROT)(z).reshape(-1, self.base, self.base, self.width)
        for _ in range(self.blocks):
            x = UpBlock(self.width, self.classes)(x, y)
        x = nn.relu(BatchNorm(momentum=0.9)(x))
        return nn.tanh(Conv(self.channels, kernel_init=GLOROT)(x))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]`, spectral norm in every layer.

    `down` residual blocks that halve the size, two that keep it, ReLU, the sum over all positions, one logit.
    """

    down: int = 2
    width: int = 128

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images; `keys` are not used, this network draws no noise."""
        return Projection(classes=0)(_features(x, self.down, self.width))


class ProjectionDiscriminator(nn.Module):
    """`Discriminator` of images and labels: it ends in a `Projection` of the sum over all positions."""

    classes: int
    down: int = 2
    width: int = 128

    @nn.compact
    def __call__(self, x: Images, y: Labels, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images as examples of classes `y`; `keys` are not used, this network draws no noise."""
        return Projection(self.classes)(_features(x, self.down, self.width), y)


class Pair(NamedTuple):
    """Networks that fit each other."""

    g: Generator
    d: Discriminator | ProjectionDiscriminator


def pair(shape: tuple[int, ...], g_width: int = 256, d_width: int = 128, classes: int = 0) -> Pair:
    """The networks for square images `[H, H, C]`; told the labels where there are `classes`.

    The generator doubles 4 or an odd number of pixels, twice at least: 28 are 7 doubled twice, 32 are 4 doubled three
    times, and 64 four times. The discriminator halves down to 8 pixels, or less.

    With the default widths and 32 x 32 pixels they are the paper's.

    Raises:
        BadInput: the images are not square, or cannot be halved twice.
    """
    base, blocks = shape[0], 0
    while base % 2 == 0 and base > 4:
        base, blocks = base // 2, blocks + 1
    if len(shape) != 3 or shape[0] != shape[1] or blocks < 2:
        size = "x".join(map(str, shape))
        raise BadInput(f"images of {size} cannot be made: they must be square, of 12, 16, 20, 24, 28, 32 ... pixels")
    down = sum(base * 2**i > 8 for i in range(1, blocks + 1))
    g = Generator(shape[2], base, blocks, g_width, classes)
    return Pair(g, ProjectionDiscriminator(classes, down, d_width) if classes else Discriminator(down, d_width))


class UpBlock(nn.Module):
    """`[B, H, W, C]` to `[B, 2 H, 2 W, width]`: twice batch norm, ReLU and a convolution, the first on doubled maps."""

    width: int
    classes: int = 0

    @nn.compact
    def __call__(self, x: Images, y: Labels | None = None) -> Convolved:
        """The doubled maps, plus a shortcut of 1 x 1."""
        h = UpConv(self.width)(nn.relu(self._normalised(x, y)))
        h = Conv(self.width, kernel_init=RESIDUAL)(nn.relu(self._normalised(h, y)))
        return h + doubled(Conv(self.width, 1, kernel_init=GLOROT)(x))

    def _normalised(self, x: Images, y: Labels | None) -> Images:
        return ConditionalBatchNorm(self.classes, momentum=0.9)(x, y) if self.classes else BatchNorm(momentum=0.9)(x)


class DownBlock(nn.Module):
    """`[B, H, W, C]` to `[B, H / 2, W / 2, width]`: twice ReLU and a convolution, then the mean of two by two.

    The `first` block sees images: it has no ReLU before its first convolution.
    """

    width: int
    first: bool = False

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """The halved maps, plus a shortcut of 1 x 1."""
        h = SpectralNorm(Conv(self.width, kernel_init=RESIDUAL))(x if self.first else nn.relu(x))
        h = SpectralNorm(DownConv(self.width))(nn.relu(h))
        return h + SpectralNorm(Conv(self.width, 1, kernel_init=GLOROT))(halved(x))


class Block(nn.Module):
    """`[B, H, W, width]` to the same: twice ReLU and a convolution, plus what came in."""

    width: int

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """The maps, changed a little."""
        h = SpectralNorm(Conv(self.width, kernel_init=RESIDUAL))(nn.relu(x))
        return x + SpectralNorm(Conv(self.width, kernel_init=RESIDUAL))(nn.relu(h))


class UpConv(nn.Module):
    """A 3 x 3 convolution of the doubled maps; `kernel` and `bias` as of `Conv`."""

    features: int

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """`[B, H, W, C]` to `[B, 2 H, 2 W, features]`."""
        return _layer(self, lambda x, kernel: conv_transpose(x, spread(kernel), 2), x)


class DownConv(nn.Module):
    """The mean, two by two, of a 3 x 3 convolution; `kernel` and `bias` as of `Conv`."""

    features: int

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """`[B, H, W, C]` to `[B, H / 2, W / 2, features]`, of even H and W."""
        return _layer(self, lambda x, kernel: conv(x, spread(kernel) / 4, 2), x)


def _layer(module: UpConv | DownConv, convolve: Callable[[Images, Kernel], Convolved], x: Images) -> Convolved:
    kernel = module.param("kernel", RESIDUAL, (3, 3, x.shape[-1], module.features))
    bias = module.param("bias", nn.initializers.zeros, (module.features,))
    return convolve(x, kernel) + bias.reshape(1, 1, 1, -1)


def spread(kernel: Float[Array, "3 3 C_in C_out"]) -> Float[Array, "4 4 C_in C_out"]:
    """What a 3 x 3 kernel is to a square of two by two equal pixels: its sum over the four places that it may have."""
    places = [((i, 1 - i), (j, 1 - j), (0, 0), (0, 0)) for i in (0, 1) for j in (0, 1)]
    return sum((jnp.pad(kernel, place) for place in places[1:]), jnp.pad(kernel, places[0]))


def doubled(x: Images) -> Convolved:
    """Every pixel as a square of two by two."""
    b, h, w, c = x.shape
    return jnp.broadcast_to(x[:, :, None, :, None], (b, h, 2, w, 2, c)).reshape(b, 2 * h, 2 * w, c)


def halved(x: Images) -> Convolved:
    """The mean of every square of two by two pixels."""
    b, h, w, c = x.shape
    return jnp.mean(x.reshape(b, h // 2, 2, w // 2, 2, c), axis=(2, 4))


def _features(x: Images, down: int, width: int) -> Float[Array, "B width"]:
    """The discriminator but for its end, as layers of the module that calls."""
    for i in range(down):
        x = DownBlock(width, first=i == 0)(x)
    for _ in range(2):
        x = Block(width)(x)
    return jnp.sum(nn.relu(x), axis=(1, 2))

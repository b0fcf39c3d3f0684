"""The convolutional GAN of the classic tutorials, and that of the paper they simplify.

Radford et al. 2016, "Unsupervised representation learning with deep convolutional generative adversarial networks":
strided convolutions instead of pooling, batch norm in every layer but the generator's last and the discriminator's
first, and kernels drawn from N(0, 0.02^2). `paper` makes those networks. The defaults are the tutorials': 3 x 3
kernels, no batch norm, dropout in the discriminator.
"""

import math
from itertools import accumulate
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.nets.layers.spectral_norm import SpectralNorm

Initializer = nn.initializers.Initializer


class Generator(nn.Module):
    """`z [B, Z]` to images `[B, size, size, channels]` in [-1, 1].

    A Dense layer to `[B, base, base, widths[0]]` with ReLU, then transposed convolutions, LeakyReLU between them and
    tanh after the last. Their sizes are `growing(size, strides)`: 7, 14, 14 and 28 pixels by default.
    """

    channels: int = 1
    size: int = 28
    widths: tuple[int, ...] = (256, 128, 64)
    strides: tuple[int, ...] = (2, 1, 2)
    kernel_size: int = 3
    slope: float = 0.01
    norm: bool = False
    kernel_init: Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Float[Array, "B H W C"]:
        """Images from latents."""

        def normalize(x: Array) -> Array:
            return BatchNorm(momentum=0.9)(x) if self.norm else x

        base, *sizes = growing(self.size, self.strides)
        shape = (base, base, self.widths[0])
        x = nn.Dense(math.prod(shape), dtype=self.dtype, kernel_init=self.kernel_init)(z)
        x = nn.relu(normalize(x.reshape(-1, *shape)))
        *hidden, last = (
            ConvTranspose(width, self.kernel_size, stride, size, dtype=self.dtype, kernel_init=self.kernel_init)
            for width, stride, size in zip((*self.widths[1:], self.channels), self.strides, sizes, strict=True)
        )
        for layer in hidden:
            x = nn.leaky_relu(normalize(layer(x)), self.slope)
        return nn.tanh(last(x).astype(jnp.float32))


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]`: per width a stride 2 convolution, LeakyReLU, dropout; then one logit.

    With `norm` there is batch norm after every convolution but the first; with `spectral` every kernel is divided by
    its largest singular value. `top`, if there is one, is a layer between the flat features and the logit.
    """

    widths: tuple[int, ...] = (64, 128)
    kernel_size: int = 3
    slope: float = 0.01
    dropout: float = 0.3
    norm: bool = False
    spectral: bool = False
    top: nn.Module | None = None
    kernel_init: Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"], keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores of images; with `keys`, one per example, under dropout."""
        normalized = SpectralNorm if self.spectral else lambda layer: layer
        for i, width in enumerate(self.widths):
            x = normalized(Conv(width, self.kernel_size, 2, dtype=self.dtype, kernel_init=self.kernel_init))(x)
            x = BatchNorm(momentum=0.9)(x) if self.norm and i else x
            x = Dropout(self.dropout)(nn.leaky_relu(x, self.slope), keys)
        x = x.reshape(x.shape[0], -1).astype(jnp.float32)
        x = x if self.top is None else self.top(x)
        return normalized(nn.Dense(1, kernel_init=self.kernel_init))(x).squeeze(-1)


def growing(size: int, strides: tuple[int, ...]) -> tuple[int, ...]:
    """Sides of what a generator makes, from the first maps to images of `size`: 4, 7, 14, 28 by three strides of two.

    They are those of a discriminator of these strides, which rounds up, backwards.
    """
    return tuple(accumulate(reversed(strides), lambda side, stride: math.ceil(side / stride), initial=size))[::-1]


class Pair(NamedTuple):
    """Networks that fit each other."""

    g: Generator
    d: Discriminator


def paper(shape: tuple[int, ...], width: int = 64) -> Pair:
    """The paper's networks for square images `[H, H, C]`, halved by every layer until no more than 4 pixels are left.

    With width 64 and 64 x 64 pixels they are the paper's (sec. 4, fig. 1): 1024, 512, 256 and 128 maps in the
    generator, half as many in the discriminator (as in the authors' program), 5 x 5 kernels, LeakyReLU 0.2. 32 x 32 and
    28 x 28 pixels take one layer less; halves are rounded up: 28, 14, 7, 4. (Halved only to 7 x 7, the
    discriminator sees 13 of 28 pixels at once, and the generator draws strokes that form no digit.)

    Args:
        shape: of the images.
        width: maps of the discriminator's first layer, half of those of the generator's last hidden one.

    Raises:
        BadInput: the images are not square, or have fewer than 9 pixels a side.
    """
    if len(shape) != 3 or shape[0] != shape[1] or shape[0] < 9:
        size = "x".join(map(str, shape))
        raise BadInput(f"images of {size} cannot be made: they must be square, of 9 pixels or more")
    size, _, channels = shape
    layers = math.ceil(math.log2(size / 4))
    widths = tuple(width * 2**i for i in range(layers))
    initial = {"kernel_size": 5, "kernel_init": nn.initializers.normal(0.02)}
    wider = tuple(2 * width for width in reversed(widths))
    g = Generator(channels, size, wider, layers * (2,), slope=0.0, norm=True, **initial)
    return Pair(g, Discriminator(widths, slope=0.2, dropout=0.0, norm=True, **initial))

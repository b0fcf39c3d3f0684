"""The networks of DCGAN (`paper`), and those of the tutorials that simplify it (the defaults).

Radford et al. 2016, "Unsupervised representation learning with deep convolutional generative adversarial networks"
(https://arxiv.org/abs/1511.06434): strided convolutions instead of pooling, batch norm in every layer but the
generator's last and the discriminator's first, kernels from N(0, 0.02^2). The tutorials have 3 x 3 kernels, no batch
norm, and dropout in the discriminator.
"""

import math
from itertools import accumulate

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.pair import Pair, unsupported

Initializer = nn.initializers.Initializer


class Generator(nn.Module):
    """`z [B, Z]` to images `[B, size, size, channels]` in [-1, 1].

    A Dense layer to `[B, base, base, widths[0]]` with ReLU, then transposed convolutions, LeakyReLU between them and
    tanh after the last. Sizes are `feature_sizes(size, strides)`: by default 7, 14, 14 and 28 pixels.
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
        """Generates images."""

        def normalize(x: Array) -> Array:
            return BatchNorm(momentum=0.9)(x) if self.norm else x

        base, *sizes = feature_sizes(self.size, self.strides)
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

    `norm` adds batch norm after every convolution but the first, `spectral` adds spectral norm to every layer, `top` is
    an optional layer between the flat features and the logit.
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
        """Scores images; `keys` turn dropout on."""
        normalized = SpectralNorm if self.spectral else lambda layer: layer
        for i, width in enumerate(self.widths):
            x = normalized(Conv(width, self.kernel_size, 2, dtype=self.dtype, kernel_init=self.kernel_init))(x)
            x = BatchNorm(momentum=0.9)(x) if self.norm and i else x
            x = Dropout(self.dropout)(nn.leaky_relu(x, self.slope), keys)
        x = x.reshape(x.shape[0], -1).astype(jnp.float32)
        x = x if self.top is None else self.top(x)
        return normalized(nn.Dense(1, kernel_init=self.kernel_init))(x).squeeze(-1)


def feature_sizes(size: int, strides: tuple[int, ...]) -> tuple[int, ...]:
    """Computes the sides of a generator's maps, from the first to images of `size`: 4, 7, 14, 28 with strides 2, 2, 2.

    A discriminator of the same strides, whose sizes round up, has them in reverse.
    """
    return tuple(accumulate(reversed(strides), lambda side, stride: math.ceil(side / stride), initial=size))[::-1]


def check_square(shape: tuple[int, ...]) -> None:
    """Raises `BadInput` unless `shape` is `(H, H, C)` with H of at least 9."""
    if len(shape) != 3 or shape[0] != shape[1] or shape[0] < 9:
        raise unsupported(shape, "square images of 9 pixels a side or more")


def paper(shape: tuple[int, ...], width: int = 64) -> Pair:
    """Builds the paper's networks for square images `[H, H, C]`: every layer halves the size, down to 4 pixels at most.

    Width 64 at 64 x 64 pixels is the paper's (sec. 4, fig. 1): 1024, 512, 256 and 128 maps in the generator, half as
    many in the discriminator (as in the authors' program), 5 x 5 kernels, LeakyReLU 0.2. 32 x 32 and 28 x 28 pixels
    take one layer less, and halves round up: 28, 14, 7, 4. (Down to 7 x 7 only, the discriminator's receptive field is
    13 of 28 pixels, and the generator draws strokes that form no digit.)

    Args:
        shape: of the images.
        width: maps of the discriminator's first layer, half as many as in the generator's last hidden layer.

    Raises:
        BadInput: the images are not square, or have fewer than 9 pixels a side.
    """
    check_square(shape)
    size, _, channels = shape
    layers = math.ceil(math.log2(size / 4))
    widths = tuple(width * 2**i for i in range(layers))
    initial = {"kernel_size": 5, "kernel_init": nn.initializers.normal(0.02)}
    wider = tuple(2 * width for width in reversed(widths))
    g = Generator(channels, size, wider, layers * (2,), slope=0.0, norm=True, **initial)
    return Pair(g, Discriminator(widths, slope=0.2, dropout=0.0, norm=True, **initial))

"""The networks of StyleGAN2; `pair` builds them for the shape of the data.

Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN" (https://arxiv.org/abs/1912.04958), with the
skip generator and the residual discriminator of fig. 7, as in configuration F, and the details of the authors' program.
"""

import math

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.collectives import pmean
from gan_jax.engine.keys import normal
from gan_jax.nets.layers.blur import BlurredDownConv, downsample, upsample
from gan_jax.nets.layers.convolution import Conv, Convolved, Images
from gan_jax.nets.layers.equalized import UNIT, Equalized
from gan_jax.nets.layers.minibatch import MinibatchStdDev
from gan_jax.nets.layers.modulated import ModulatedConv
from gan_jax.nets.layers.normalization import pixel_norm
from gan_jax.nets.pair import Pair, unsupported
from gan_jax.priors import Keys

Latent = Float[Array, "B w"]
LayerLatents = Float[Array, "B L w"]
"""A latent w for every layer: equal ones, or those of several images, to mix their styles."""
Noise = Float[Array, "B n n 1"]


class Generator(nn.Module):
    """`z [B, Z]` and noise keys `[B]` to images `[B, H, W, channels]`, through latents `ws [B, layers, w_size]`.

    Calls `mapping`, then `synthesis`. The collection "w_average" holds the running mean of w over the whole batch,
    updated with `decay` by every call of `mapping` where it is mutable.
    """

    widths: tuple[int, ...]
    """Channels of the maps of `side`, 2 `side`, 4 `side`, ... pixels a side."""
    side: int = 4
    channels: int = 3
    w_size: int = 512
    mapping_layers: int = 8
    decay: float = 0.995
    dtype: DTypeLike | None = None
    """Of the maps; `mapping` is in float32."""

    def setup(self):
        """Makes the two networks and the average."""
        self.mapper = Mapping(self.w_size, self.mapping_layers)
        self.synthesizer = Synthesis(self.widths, self.side, self.channels, self.dtype)
        self.w_average = self.variable("w_average", "mean", jnp.zeros, (self.w_size,), jnp.float32)

    @property
    def layers(self) -> int:
        """The number of latents w of an image: one for each convolution, and one for the last layer."""
        return 2 * len(self.widths)

    def __call__(self, z: Float[Array, "B Z"], keys: Keys) -> Images:
        """Generates images."""
        return self.synthesis(self.mapping(z), keys)

    def mapping(self, z: Float[Array, "B Z"]) -> LayerLatents:
        """Maps `z` to w, the same for every layer."""
        w = self.mapper(z)
        if self.is_mutable_collection("w_average") and not self.is_initializing():
            mean = pmean(jnp.mean(lax.stop_gradient(w), axis=0))
            self.w_average.value = self.decay * self.w_average.value + (1 - self.decay) * mean
        return jnp.broadcast_to(w[:, None], (w.shape[0], self.layers, w.shape[1]))

    def synthesis(self, ws: LayerLatents, keys: Keys) -> Images:
        """Generates images from a latent for each layer; `keys` draw the noise."""
        return self.synthesizer(ws, keys)

    def average(self) -> Float[Array, " w"]:
        """Returns the running mean of w."""
        return self.w_average.value


class Discriminator(nn.Module):
    """Images `[B, H, W, C]` to scores `[B]`: residual blocks that halve the size, minibatch deviation, a logit."""

    widths: tuple[int, ...]
    """Channels of the maps of every size, the smallest first, as in `Generator`."""
    group: int = 4
    """Size of the groups of consecutive images whose scores depend on their deviation; it divides the batch."""
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores images; `keys` are ignored."""
        *smaller, width = self.widths
        x = leaky_relu(Equalized(Conv(width, 1, dtype=self.dtype, kernel_init=UNIT))(x))
        for narrower in reversed(smaller):
            x = DownBlock(narrower, self.dtype)(x)
        x = MinibatchStdDev(self.group)(x)
        x = leaky_relu(Equalized(Conv(self.widths[0], dtype=self.dtype, kernel_init=UNIT))(x))
        dense = nn.Dense(self.widths[0], dtype=self.dtype, kernel_init=UNIT)
        x = leaky_relu(Equalized(dense)(x.reshape(x.shape[0], -1)))
        return Equalized(nn.Dense(1, kernel_init=UNIT))(x.astype(jnp.float32))[:, 0]


def pair(
    shape: tuple[int, ...], width: int = 32768, most: int = 512, w_size: int = 512, mapping_layers: int = 8
) -> Pair:
    """Builds the networks for square images `[H, H, C]`; the defaults at 1024 pixels are configuration F.

    The side is halved while it is even and more than 4: 28 = 7 x 2 x 2, 32 = 4 x 2 x 2 x 2. Maps of n pixels a side,
    rounded up to a power of two, have `width / n` channels, at most `most`.

    Raises:
        BadInput: the images are not square, or their side is odd.
    """
    sides = [shape[0]]
    while sides[0] % 2 == 0 and sides[0] > 4:
        sides.insert(0, sides[0] // 2)
    if len(shape) != 3 or shape[0] != shape[1] or len(sides) < 2:
        raise unsupported(shape, "square images of 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, ... pixels a side")
    widths = tuple(min(width // 2 ** math.ceil(math.log2(n)), most) for n in sides)
    return Pair(Generator(widths, sides[0], shape[2], w_size, mapping_layers), Discriminator(widths))


class Mapping(nn.Module):
    """`z [B, Z]` to `w [B, size]`: normalized to unit mean square, then dense layers that learn 100 times slower."""

    size: int
    layers: int

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"]) -> Latent:
        """Maps latents."""
        rate = 0.01
        w = pixel_norm(z)
        for _ in range(self.layers):
            w = leaky_relu(Equalized(nn.Dense(self.size, kernel_init=nn.initializers.normal(1 / rate)), rate=rate)(w))
        return w


class Synthesis(nn.Module):
    """`ws [B, 2 len(widths), W]` to images: a learned constant, styled convolutions, a sum of images of every size."""

    widths: tuple[int, ...]
    side: int
    channels: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, ws: LayerLatents, keys: Keys) -> Images:
        """Generates images; every layer has a latent and noise of its own."""
        ws = jnp.unstack(ws, axis=1)
        noise = self.noise(keys)
        const = self.param("const", UNIT, (self.side, self.side, self.widths[0]), jnp.float32)
        x = jnp.broadcast_to(const, (ws[0].shape[0], *const.shape))
        x = StyledConv(self.widths[0], dtype=self.dtype)(x, ws[0], noise[0])
        image = ToImage(self.channels, self.dtype)(x, ws[1])
        for i, width in enumerate(self.widths[1:]):
            x = StyledConv(width, up=True, dtype=self.dtype)(x, ws[2 * i + 1], noise[2 * i + 1])
            x = StyledConv(width, dtype=self.dtype)(x, ws[2 * i + 2], noise[2 * i + 2])
            image = upsample(image) + ToImage(self.channels, self.dtype)(x, ws[2 * i + 3])
        return image

    def noise(self, keys: Keys) -> list[Noise]:
        """Draws the noise of every styled convolution at once: one program to compile, not one for each layer."""
        sides = [self.side * 2**i for i in range(len(self.widths)) for _ in range(1 if i == 0 else 2)]
        flat = jnp.split(normal(keys, sum(n**2 for n in sides)), np.cumsum([n**2 for n in sides[:-1]]), axis=1)
        return [layer.reshape(-1, n, n, 1) for layer, n in zip(flat, sides, strict=True)]


class StyledConv(nn.Module):
    """A modulated 3 x 3 convolution, noise of one value per pixel and of learned strength (0 at first), leaky ReLU."""

    features: int
    up: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, w: Latent, noise: Noise) -> Convolved:
        """Computes the layer."""
        conv = ModulatedConv(self.features, up=self.up, kernel_init=UNIT, dtype=self.dtype)
        x = Equalized(conv)(x, style(w, x.shape[-1]))
        strength = self.param("strength", nn.initializers.zeros, (1, 1, 1, 1), jnp.float32)
        return leaky_relu(x + (strength * noise).astype(x.dtype))


class ToImage(nn.Module):
    """A modulated 1 x 1 convolution without demodulation, `[B, H, W, C]` to images `[B, H, W, channels]` float32."""

    channels: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images, w: Latent) -> Convolved:
        """Computes the layer."""
        conv = ModulatedConv(self.channels, 1, demodulate=False, kernel_init=UNIT, dtype=self.dtype)
        return Equalized(conv)(x, style(w, x.shape[-1])).astype(jnp.float32)


class DownBlock(nn.Module):
    """`[B, H, W, C]` to `[B, H / 2, W / 2, features]`: two convolutions and a 1 x 1 shortcut, at unit variance."""

    features: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Images) -> Convolved:
        """Computes the block."""
        h = leaky_relu(Equalized(Conv(x.shape[-1], dtype=self.dtype, kernel_init=UNIT))(x))
        h = leaky_relu(Equalized(BlurredDownConv(self.features, kernel_init=UNIT, dtype=self.dtype))(h))
        shortcut = nn.Dense(self.features, use_bias=False, dtype=self.dtype, kernel_init=UNIT)
        return (h + Equalized(shortcut)(downsample(x))) / math.sqrt(2)


def style(w: Latent, channels: int) -> Float[Array, "B C"]:
    """Computes the styles of `channels` by a dense layer of the calling module, 1 + N(0, 1) at first."""
    return Equalized(nn.Dense(channels, kernel_init=UNIT, bias_init=nn.initializers.ones))(w)


def leaky_relu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Computes the leaky ReLU of slope 0.2, times sqrt(2): it keeps the mean square of symmetric values."""
    return math.sqrt(2) * nn.leaky_relu(x, 0.2)

"""The networks of WaveGAN, for sounds, and of SpecGAN, for their spectrograms: the same but for one dimension.

Donahue et al. 2019, "Adversarial audio synthesis", app. D (https://arxiv.org/abs/1802.04208): DCGAN without batch norm,
whose 5 x 5 kernels of stride 2 become kernels of 25 samples and stride 4, so that both networks have as many parameters
and as much to compute. Not of the paper: batch norm, spectral norm, and labels.
"""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.conditioning import Labels, Projection
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.normalization import BatchNorm, ConditionalBatchNorm
from gan_jax.nets.layers.phase_shuffle import PhaseShuffle
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.layers.temporal import Conv1d, ConvTranspose1d
from gan_jax.nets.pair import Pair, unsupported

Examples = Float[Array, "B *size"]
"""Sounds `[B, T]` or spectrograms `[B, frames, bins]`, in [-1, 1]."""


LENGTHS = "sounds whose number of samples is a power of 2 from 64 on, as in --data audio=8192:sounds/"
"""Lengths that both families support."""


class Generator(nn.Module):
    """`z [B, Z]` and, with `classes`, labels `[B]` to sounds or spectrograms `[B, *size]` in [-1, 1].

    A Dense layer to `[B, *base, widths[0]]`, then per width a transposed convolution that multiplies every side by its
    stride; ReLU before each, tanh after the last. `norm` adds batch norm before every ReLU. Labels are concatenated
    with z, and batch norm has a gain and bias for each.
    """

    base: tuple[int, ...]
    widths: tuple[int, ...]
    classes: int = 0
    norm: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], y: Labels | None = None) -> Examples:
        """Generates examples of classes `y`."""

        def normalize(x: Array) -> Array:
            if not self.norm:
                return x
            return (
                ConditionalBatchNorm(self.classes, momentum=0.9)(x, y) if self.classes else BatchNorm(momentum=0.9)(x)
            )

        if self.classes:
            z = jnp.concatenate([z, jax.nn.one_hot(y, self.classes, dtype=z.dtype)], axis=1)
        shape = (*self.base, self.widths[0])
        x = nn.Dense(math.prod(shape), dtype=self.dtype)(z).reshape(-1, *shape)
        layer = _layer(len(self.base), ConvTranspose1d, ConvTranspose)
        for width in (*self.widths[1:], 1):
            x = layer(width, dtype=self.dtype)(nn.relu(normalize(x)))
        return nn.tanh(x.astype(jnp.float32)).squeeze(-1)


class Discriminator(nn.Module):
    """Sounds or spectrograms `[B, *size]` to scores `[B]`.

    Per width a convolution that divides every side by its stride, and LeakyReLU 0.2; then one logit of the flat
    features. Sounds are shifted by up to `shuffle` samples after every layer but the last. `spectral` adds spectral
    norm to every layer.
    """

    widths: tuple[int, ...]
    shuffle: int = 2
    spectral: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Examples, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores examples; `keys` turn phase shuffle on."""
        return self._normalized(nn.Dense(1))(self._features(x, keys)).squeeze(-1)

    def _features(self, x: Examples, keys: Keys | None) -> Float[Array, "B D"]:
        """Computes the features before the last layer; the layers belong to the calling module."""
        layer = _layer(x.ndim - 1, Conv1d, Conv)
        x = x[..., None]
        for i, width in enumerate(self.widths):
            x = nn.leaky_relu(self._normalized(layer(width, dtype=self.dtype))(x), 0.2)
            if x.ndim == 3 and i < len(self.widths) - 1:
                x = PhaseShuffle(self.shuffle)(x, keys)
        return x.reshape(len(x), -1).astype(jnp.float32)

    def _normalized(self, layer: nn.Module) -> nn.Module:
        return SpectralNorm(layer) if self.spectral else layer


class ProjectionDiscriminator(Discriminator):
    """`Discriminator` of examples and labels `[B]`, with a `Projection` in place of the logit."""

    classes: int = 0

    @nn.compact
    def __call__(self, x: Examples, y: Labels, keys: Keys | None = None) -> Float[Array, " B"]:
        """Scores examples as those of classes `y`."""
        return Projection(self.classes, self.spectral)(self._features(x, keys), y)


def pair(
    shape: tuple[int, ...],
    width: int = 64,
    classes: int = 0,
    *,
    shuffle: int = 2,
    norm: bool = False,
    spectral: bool = False,
) -> Pair:
    """Builds networks for sounds `[T]` or spectrograms `[frames, bins]`, conditional if `classes` is not 0.

    Sounds are divided by 4 while 16 samples or more remain, spectrograms by 2 while both sides are 4 or more. Width 64
    at 16,384 samples, or 128 x 128, is the paper's: the generator has 1024, 512, 256, 128 and 64 maps, from 16 samples
    or 4 x 4 on, the discriminator as many in reverse.

    Args:
        shape: of the examples.
        width: maps at the size next to the examples; twice as many at every size below.
        classes: number of labels.
        shuffle: samples by which phase shuffle moves at most; without effect on spectrograms.
        norm: batch norm in the generator.
        spectral: spectral norm in the discriminator.

    Raises:
        BadInput: after these divisions a sound has more than 63 samples, or both sides of a spectrogram more than 7.
    """
    stride, smallest = (4, 16) if len(shape) == 1 else (2, 4)
    layers = 0
    while all(side % stride ** (layers + 1) == 0 and side // stride ** (layers + 1) >= smallest for side in shape):
        layers += 1
    base = tuple(side // stride**layers for side in shape)
    if not layers or min(base) >= stride * smallest:
        raise unsupported(shape, LENGTHS)
    widths = tuple(width * 2**i for i in range(layers))
    g = Generator(base, widths[::-1], classes, norm)
    if classes:
        return Pair(g, ProjectionDiscriminator(widths, shuffle, spectral, classes=classes))
    return Pair(g, Discriminator(widths, shuffle, spectral))


def _layer(dimensions: int, of_sounds: Callable, of_spectrograms: Callable) -> Callable[..., nn.Module]:
    """Returns the kind of layer for examples of one or two dimensions, without its width."""
    return (
        partial(of_sounds, kernel_size=25, stride=4)
        if dimensions == 1
        else partial(of_spectrograms, kernel_size=5, stride=2)
    )

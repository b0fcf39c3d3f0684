"""GAN-TTS: a generator from features at a low rate to sounds, and an ensemble of discriminators of random windows.

Binkowski et al. 2020, "High fidelity speech synthesis with adversarial networks", sec. 3 and fig. 1
(https://arxiv.org/abs/1909.11646).
"""

import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int

from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split
from gan_jax.errors import BadInput
from gan_jax.nets.layers.conditioning import Projection
from gan_jax.nets.layers.normalization import AdaptiveBatchNorm
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.layers.temporal import Conv1d, Convolved, Sequences
from gan_jax.nets.pair import Pair

Sounds = Float[Array, "B T"]
Features = Float[Array, "B frames F"]


class Generator(nn.Module):
    """`z [B, Z]` and features `[B, frames, F]` to sounds `[B, hop frames]` in [-1, 1]; `hop` is the product of `ups`.

    A convolution to `widths[0]` channels, a `GBlock` for each of `widths` and `ups`, batch norm, ReLU, a convolution,
    tanh.
    """

    widths: tuple[int, ...]
    ups: tuple[int, ...]
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "B Z"], c: Features) -> Sounds:
        """Generates the sounds of features `c`."""
        x = Conv1d(self.widths[0], dtype=self.dtype)(c)
        for width, up in zip(self.widths, self.ups, strict=True):
            x = GBlock(width, up, self.dtype)(x, z)
        x = nn.relu(normalize(x, z))
        return nn.tanh(Conv1d(1, dtype=self.dtype)(x).astype(jnp.float32)).squeeze(-1)


class GBlock(nn.Module):
    """`[B, T, C]` to `[B, up T, width]`: two residual pairs of batch norm by z, ReLU and convolution.

    The kernels of 3 have dilations 1, 2, 4 and 8; the first one follows the upsampling.
    """

    width: int
    up: int = 1
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Sequences, z: Float[Array, "B Z"]) -> Convolved:
        """Computes the block; where channels change, the first shortcut has a 1-wide convolution."""

        def convolved(x: Sequences, dilation: int, up: int = 1) -> Convolved:
            x = repeat(nn.relu(normalize(x, z)), up)
            return Conv1d(self.width, dilation=dilation, dtype=self.dtype)(x)

        h = convolved(convolved(x, 1, self.up), 2)
        x = x if x.shape[-1] == self.width else Conv1d(self.width, 1, dtype=self.dtype)(x)
        h += repeat(x, self.up)
        return h + convolved(convolved(h, 4), 8)


class Ensemble(nn.Module):
    """Sounds `[B, T]` and their features `[B, frames, F]` to scores `[B, M]`: two members for each of M / 2 `folds`.

    Both members of a fold k judge a window of `base * k` samples of every example. One is conditional: its window
    begins with a frame, and it gets the features of the window. The window of the other begins at any sample. Every
    example and member has an offset of its own.
    """

    base: int
    folds: tuple[int, ...]
    width: int = 64
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Sounds, c: Features, keys: Keys | None = None) -> Float[Array, "B M"]:
        """Scores windows at offsets drawn from `keys`; without keys, those at the beginning."""
        own = split(keys, len(self.folds)) if keys is not None else len(self.folds) * (None,)
        scores = []
        for fold, of_fold in zip(self.folds, own, strict=True):
            judged = draw_windows(x, c, self.base * fold, of_fold)
            scores.append(Both(fold, self.width, self.dtype)(*judged).T)
        return jnp.concatenate(scores, axis=1)


class WindowDiscriminator(nn.Module):
    """Windows `[B, T]` and their features `[B, frames, F]` to scores `[B]`; an unconditional one is given zeros.

    `fold` samples side by side become channels, so that windows of different lengths cost the same. Then, with spectral
    norm: a `DBlock` that keeps the length, one for each of the factors that reduce it to one place per frame, the last
    of which takes the features, and two more; the mean over the places; one logit. Widths double up to four times.
    """

    fold: int
    width: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Sounds, c: Features) -> Float[Array, " B"]:
        """Scores windows as sounds of features `c`."""
        x = x.reshape(len(x), -1, self.fold)
        *downs, last = factors(x.shape[1] // c.shape[1])
        x = DBlock(self.width, first=True, dtype=self.dtype)(x)
        for i, down in enumerate(downs):
            x = DBlock(min(2 ** (i + 1), 4) * self.width, down, dtype=self.dtype)(x)
        x = DBlock(4 * self.width, last, dtype=self.dtype)(x, c)
        for _ in range(2):
            x = DBlock(4 * self.width, dtype=self.dtype)(x)
        return Projection(classes=0)(jnp.mean(nn.relu(x).astype(jnp.float32), axis=1))


Both = nn.vmap(WindowDiscriminator, variable_axes={"params": 0, "batch_stats": 0}, split_rngs={"params": True})
"""Two discriminators of one shape, with parameters of their own, as one program: half of the time to compile."""


class DBlock(nn.Module):
    """`[B, T, C]` to `[B, T / down, width]`: average pooling, then ReLU and a convolution of dilation 1, then of 2.

    Features `[B, T / down, F]` are added, through a 1-wide convolution, between the two. The `first` block takes
    samples: it has no ReLU before its first convolution.
    """

    width: int
    down: int = 1
    first: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Sequences, c: Features | None = None) -> Convolved:
        """Computes the block; the shortcut is the pooled input, with a 1-wide convolution where channels change."""

        def convolved(x: Sequences, k: int, dilation: int = 1) -> Convolved:
            layer = Conv1d(self.width, k, dilation=dilation, dtype=self.dtype)
            return SpectralNorm(layer)(x)

        x = jnp.mean(x.reshape(len(x), -1, self.down, x.shape[-1]), axis=2)
        h = convolved(x if self.first else nn.relu(x), 3)
        if c is not None:
            h += convolved(c, 1)
        return convolved(nn.relu(h), 3, 2) + (x if x.shape[-1] == self.width else convolved(x, 1))


def networks(
    samples: int, widths: tuple[int, ...], ups: tuple[int, ...], base: int, folds: tuple[int, ...], d_width: int
) -> Pair:
    """Builds the networks for sounds of `samples`, and windows of `base` samples times each of `folds`.

    Raises:
        BadInput: a number of samples does not fit: a frame has the product of `ups`.
    """
    hop = math.prod(ups)
    if samples % hop:
        raise BadInput(f"sounds of {samples:,} samples are no whole number of frames of {hop}: change --ups or --data")
    for fold in folds:
        window = base * fold
        if window > samples:
            raise BadInput(f"windows of {window:,} are longer than sounds of {samples:,} samples: shorten --folds")
        if hop % fold or window % hop:
            fits = f"--folds that divide the {hop} samples of a frame, and a whole number of frames in a window"
            raise BadInput(f"windows of {base} x {fold} samples do not fit: choose {fits}")
    return Pair(Generator(widths, ups), Ensemble(base, folds, d_width))


def draw_windows(
    x: Sounds, c: Features, length: int, keys: Keys | None
) -> tuple[Float[Array, "2 B window"], Float[Array, "2 B window_frames F"]]:
    """Draws two windows of every sound: one that begins with a frame, with its features, and any one, with zeros.

    Without keys, both are at the beginning.
    """
    hop = x.shape[1] // c.shape[1]
    if keys is None:
        frame = sample = jnp.zeros(len(x), jnp.int32)
    else:
        of_frame, of_sample = split(keys, 2)
        frame, sample = offsets(of_frame, (x.shape[1] - length) // hop), offsets(of_sample, x.shape[1] - length)
    features = crop(c, frame, length // hop)
    windows = jnp.stack([crop(x, hop * frame, length), crop(x, sample, length)])
    return windows, jnp.stack([features, jnp.zeros_like(features)])


def offsets(keys: Keys, last: int) -> Int[Array, " B"]:
    """Draws an offset from 0 to `last` with every key."""
    return jax.vmap(lambda key: jax.random.randint(key, (), 0, last + 1, jnp.int32))(keys)


def crop(x: Float[Array, "B T *C"], start: Int[Array, " B"], length: int) -> Float[Array, "B window *C"]:
    """Cuts `length` places out of every sequence, from its own `start`."""
    return jax.vmap(lambda x, i: lax.dynamic_slice_in_dim(x, i, length))(x, start)


def normalize(x: Sequences, z: Float[Array, "B Z"]) -> Sequences:
    """Normalizes by z, in a layer of the calling module whose gains begin near 1."""
    return AdaptiveBatchNorm(kernel_init=nn.initializers.normal(0.02))(x, z)


def repeat(x: Sequences, times: int) -> Convolved:
    """Repeats every place."""
    b, n, c = x.shape
    return jnp.broadcast_to(x[:, :, None], (b, n, times, c)).reshape(b, times * n, c)


def factors(n: int) -> tuple[int, ...]:
    """Factors n into numbers of at most 5, large ones first, 120 = 5 x 4 x 3 x 2; 1 is a factor of itself only."""
    found = [1] if n == 1 else []
    while n > 1:
        found.append(next(each for each in (5, 4, 3, 2) if n % each == 0))
        n //= found[-1]
    return tuple(found)

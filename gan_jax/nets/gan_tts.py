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
from gan_jax.nets.layers.latent_norm import LatentBatchNorm
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.layers.temporal import Conv1d
from gan_jax.nets.pair import Pair

Sounds = Float[Array, "B T"]
Sequences = Float[Array, "B T C"]
Features = Float[Array, "B frames F"]

ORTHOGONAL = nn.initializers.orthogonal()


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
        x = Conv1d(self.widths[0], dtype=self.dtype, kernel_init=ORTHOGONAL)(c)
        for width, up in zip(self.widths, self.ups, strict=True):
            x = GBlock(width, up, self.dtype)(x, z)
        x = nn.relu(LatentBatchNorm()(x, z))
        return nn.tanh(Conv1d(1, dtype=self.dtype, kernel_init=ORTHOGONAL)(x).astype(jnp.float32)).squeeze(-1)


class GBlock(nn.Module):
    """`[B, T, C]` to `[B, up T, width]`: two residual pairs of batch norm by z, ReLU and convolution.

    The kernels of 3 have dilations 1, 2, 4 and 8; the first one follows the upsampling.
    """

    width: int
    up: int = 1
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Sequences, z: Float[Array, "B Z"]) -> Sequences:
        """Computes the block; the first shortcut is an upsampled 1-wide convolution."""

        def convolved(x: Sequences, dilation: int, up: int = 1) -> Sequences:
            x = repeat(nn.relu(LatentBatchNorm()(x, z)), up)
            return Conv1d(self.width, dilation=dilation, dtype=self.dtype, kernel_init=ORTHOGONAL)(x)

        h = convolved(convolved(x, 1, self.up), 2)
        h += repeat(Conv1d(self.width, 1, dtype=self.dtype, kernel_init=ORTHOGONAL)(x), self.up)
        return h + convolved(convolved(h, 4), 8)


class Ensemble(nn.Module):
    """Sounds `[B, T]` and their features to scores `[B, M]`: one `WindowDiscriminator` for each of M `members`.

    A member judges a window of every example, which begins anywhere in a sound, or at the beginning of a frame if the
    member is conditional: it then gets the features of the window too. Every example and member has an offset of its
    own.
    """

    members: tuple["WindowDiscriminator", ...]

    @nn.compact
    def __call__(self, x: Sounds, c: Features, keys: Keys | None = None) -> Float[Array, "B M"]:
        """Scores windows at offsets drawn from `keys`; without keys, those at the beginning."""
        hop = x.shape[1] // c.shape[1]
        own = split(keys, len(self.members)) if keys is not None else len(self.members) * (None,)
        scores = []
        for member, key in zip(self.members, own, strict=True):
            step = hop if member.conditional else 1
            start = offsets(key, len(x), (x.shape[1] - member.window) // step)
            judged = crop(x, step * start, member.window)
            features = crop(c, start, member.window // hop) if member.conditional else None
            scores.append(member(judged, features))
        return jnp.stack(scores, axis=1)


class WindowDiscriminator(nn.Module):
    """Windows `[B, window]` and, if `conditional`, their features `[B, window / hop, F]` to scores `[B]`.

    `fold` samples side by side become channels; then, with spectral norm, a `DBlock` that keeps the length, one for
    each of `downs`, two more, the mean over the places, one logit. Widths double up to `most`. The last of `downs`
    leaves one place per frame, and takes the features.
    """

    window: int
    fold: int
    downs: tuple[int, ...]
    conditional: bool = False
    width: int = 64
    most: int = 256
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Sounds, c: Features | None = None) -> Float[Array, " B"]:
        """Scores windows as sounds of features `c`."""
        x = x.reshape(len(x), -1, self.fold)
        width = self.width
        x = DBlock(width, first=True, dtype=self.dtype)(x)
        for i, down in enumerate(self.downs):
            width = min(2 * width, self.most)
            x = DBlock(width, down, dtype=self.dtype)(x, c if i == len(self.downs) - 1 else None)
        for _ in range(2):
            x = DBlock(width, dtype=self.dtype)(x)
        return Projection(classes=0)(jnp.mean(nn.relu(x).astype(jnp.float32), axis=1))


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
    def __call__(self, x: Sequences, c: Features | None = None) -> Sequences:
        """Computes the block; the shortcut is a 1-wide convolution of the pooled input."""

        def convolved(x: Sequences, k: int, dilation: int = 1) -> Sequences:
            layer = Conv1d(self.width, k, dilation=dilation, dtype=self.dtype, kernel_init=ORTHOGONAL)
            return SpectralNorm(layer)(x)

        x = jnp.mean(x.reshape(len(x), -1, self.down, x.shape[-1]), axis=2)
        h = convolved(x if self.first else nn.relu(x), 3)
        if c is not None:
            h += convolved(c, 1)
        return convolved(nn.relu(h), 3, 2) + convolved(x, 1)


def networks(
    samples: int, widths: tuple[int, ...], ups: tuple[int, ...], windows: tuple[int, ...], d_width: int
) -> Pair:
    """Builds the networks for sounds of `samples`, with a conditional and an unconditional member for every window.

    Windows that are k times as long as the shortest fold k samples into channels, so that all cost the same.

    Raises:
        BadInput: a number of samples does not fit: a frame has the product of `ups`.
    """
    hop, shortest = math.prod(ups), min(windows)
    if samples % hop:
        raise BadInput(f"sounds of {samples:,} samples have no whole number of frames of {hop}: change --ups, or cut them")
    for window in windows:
        if window > samples:
            raise BadInput(f"a window of {window:,} is longer than sounds of {samples:,} samples: shorten --windows")
        if window % hop or window % shortest or hop % (window // shortest):
            fits = f"a multiple of the frame of {hop}, and of the shortest window by a divisor of {hop}"
            raise BadInput(f"a window of {window:,} samples does not fit: choose {fits}")
    members = [
        WindowDiscriminator(window, k, factors(hop // k), conditional, d_width, 4 * d_width)
        for conditional in (False, True)
        for window, k in zip(windows, (window // shortest for window in windows), strict=True)
    ]
    return Pair(Generator(widths, ups), Ensemble(tuple(members)))


def offsets(keys: Keys | None, count: int, last: int) -> Int[Array, " B"]:
    """Draws an offset from 0 to `last` for each of `count` examples; 0 without keys."""
    if keys is None:
        return jnp.zeros(count, jnp.int32)
    return jax.vmap(lambda key: jax.random.randint(key, (), 0, last + 1, jnp.int32))(keys)


def crop(x: Float[Array, "B T *C"], start: Int[Array, " B"], length: int) -> Float[Array, "B window *C"]:
    """Cuts `length` places out of every sequence, from its own `start`."""
    return jax.vmap(lambda x, i: lax.dynamic_slice_in_dim(x, i, length))(x, start)


def repeat(x: Sequences, times: int) -> Sequences:
    """Repeats every place."""
    b, n, c = x.shape
    return jnp.broadcast_to(x[:, :, None], (b, n, times, c)).reshape(b, times * n, c)


def factors(n: int) -> tuple[int, ...]:
    """Factors n into the fewest numbers of at most 5, large ones first: 120 = 5 x 4 x 3 x 2."""
    found = []
    while n > 1:
        found.append(next(each for each in (5, 4, 3, 2) if n % each == 0))
        n //= found[-1]
    return tuple(found)

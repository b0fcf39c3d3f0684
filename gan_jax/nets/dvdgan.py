"""The networks of DVD-GAN and of its frame prediction; `networks` builds them for the shape of the data.

Clark, Donahue and Simonyan 2019, "Adversarial video generation on complex datasets", sec. 3
(https://arxiv.org/abs/1907.06571). Their blocks are BigGAN's. Here the generator's have the layers of BigGAN's, and the
discriminators' are those of `nets.resnet`.
"""

import itertools
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets import resnet
from gan_jax.nets.layers.conditioning import Labels, Projection
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.frames import Frames, Videos, draw_frames, each_frame
from gan_jax.nets.layers.normalization import AdaptiveBatchNorm, BatchNorm
from gan_jax.nets.layers.recurrent import ConvGRU
from gan_jax.nets.layers.resampling import UpConv, average_pool, upsample
from gan_jax.nets.layers.spectral_norm import SpectralNorm
from gan_jax.nets.pair import unsupported

ORTHOGONAL = nn.initializers.orthogonal()
EMBEDDING = 120
"""Length of the embedding of a label."""
LARGEST = 16
"""Channels of the smallest maps, at most, in channels of the largest."""

Vectors = Float[Array, "B D"]
Scores = Float[Array, " B"]
States = tuple[Float[Array, "B _ _ _"], ...]
"""A state of every recurrent layer, coarse to fine."""


class Generator(nn.Module):
    """`z [B, Z]` and, with `classes`, labels `[B]` to videos `[B, frames, H, W, channels]` in [-1, 1].

    A Dense layer of v = [z, embedding of y] to `[B, base, base, widths[0]]`, the same at every frame; then for every
    doubling of the size a `ConvGRU` over the frames and `blocks` blocks of each frame, whose last doubles the size;
    batch norm, ReLU, a convolution, tanh. Batch norm in the blocks has gains and biases from v. All weights have
    spectral norm but the embedding, which it would make ten times shorter than z.
    """

    frames: int
    channels: int
    base: int
    widths: tuple[int, ...]
    """Channels at every size, coarse to fine."""
    classes: int = 0
    blocks: int = 2
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, z: Vectors, y: Labels | None = None, states: States = ()) -> Videos:
        """Generates videos of classes `y`, from recurrent `states` before their first frame, by default 0."""
        v = z
        if self.classes:
            v = jnp.concatenate(
                [z, nn.Embed(self.classes, EMBEDDING, embedding_init=nn.initializers.normal(1.0))(y)], 1
            )
        size = (self.base, self.base, self.widths[0])
        x = SpectralNorm(nn.Dense(self.base**2 * self.widths[0], dtype=self.dtype, kernel_init=ORTHOGONAL))(v)
        x = jnp.broadcast_to(x.reshape(-1, 1, *size), (len(z), self.frames, *size))
        for (width, finer), state in itertools.zip_longest(itertools.pairwise(self.widths), states):
            x = SpectralNorm(ConvGRU(width, self.dtype))(x, state)
            for _ in range(self.blocks - 1):
                x = SpectralNorm(FrameBlock(width, dtype=self.dtype))(x, v)
            x = SpectralNorm(FrameBlock(finer, up=True, dtype=self.dtype))(x, v)
        x = nn.relu(BatchNorm(momentum=0.9)(x))
        last = SpectralNorm(Conv(self.channels, dtype=self.dtype, kernel_init=ORTHOGONAL))
        return nn.tanh(each_frame(last, x).astype(jnp.float32))


class FrameBlock(nn.Module):
    """`[B, T, H, W, C]` to `[B, T, H, W, width]`, or 2 H and 2 W with `up`: twice batch norm, ReLU and a convolution.

    Frames are convolved independently; the norm has the statistics of all of them. The shortcut is a 1 x 1 convolution.
    """

    width: int
    up: bool = False
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Videos, v: Vectors) -> Frames:
        """Computes the block; `v` gives the gains and biases of each video."""
        form = {"dtype": self.dtype, "kernel_init": ORTHOGONAL}
        first = (UpConv if self.up else Conv)(self.width, **form)
        h = each_frame(first, nn.relu(AdaptiveBatchNorm()(x, v)))
        h = each_frame(Conv(self.width, **form), nn.relu(AdaptiveBatchNorm()(h, v)))
        x = each_frame(Conv(self.width, 1, **form), x)
        return h + (each_frame(upsample, x) if self.up else x)


class Predictor(nn.Module):
    """`z [B, Z]` and the first frames `[B, K, H, W, C]` to the whole video.

    The `encoder` gives the first state of every recurrent layer of the `generator`, which makes the other frames.
    """

    encoder: "Encoder"
    generator: Generator

    def __call__(self, z: Vectors, y: Labels | None, given: Videos) -> Frames:
        """Returns the given frames, and those predicted after them."""
        return jnp.concatenate([given, self.generator(z, y, self.encoder(given))], axis=1)


class Encoder(nn.Module):
    """Frames `[B, K, H, W, C]` to a state for every recurrent layer, coarse to fine, of `states` channels.

    Residual blocks as in a discriminator halve each frame. At every size, the maps of all frames, side by side as
    channels, go through a 3 x 3 convolution and ReLU.
    """

    widths: tuple[int, ...]
    """Channels of the blocks, fine to coarse."""
    states: tuple[int, ...]
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, given: Videos) -> States:
        """Computes the states."""
        x, found = given, []
        for i, (width, channels) in enumerate(zip(self.widths, reversed(self.states), strict=True)):
            x = each_frame(resnet.DownBlock(width, i == 0, self.dtype), x)
            maps = jnp.moveaxis(x, 1, 3).reshape(len(x), *x.shape[2:4], -1)
            found.append(nn.relu(SpectralNorm(Conv(channels, dtype=self.dtype, kernel_init=ORTHOGONAL))(maps)))
        return tuple(reversed(found))


class SpatialDiscriminator(nn.Module):
    """Videos `[B, T, H, W, C]` to scores `[B]`: the sum of the scores of `frames` frames, drawn for every video.

    Frames before `first`, those given to a predictor, are not drawn.
    """

    frames: int
    widths: tuple[int, ...]
    classes: int = 0
    first: int = 0
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Videos, y: Labels | None = None, keys: Keys | None = None) -> Scores:
        """Scores videos as examples of classes `y`; `keys` are for the draw, without them the first frames are seen."""
        x = x[:, self.first :]
        x = x[:, : self.frames] if keys is None else draw_frames(x, self.frames, keys)
        return Projection(self.classes)(_features(x, self.widths, self.dtype), y)


class TemporalDiscriminator(nn.Module):
    """Videos `[B, T, H, W, C]` to scores `[B]`: the sum of the scores of all frames, at half their size.

    The convolutions of the first two blocks are 3 x 3 x 3, over frames and pixels; only pixels are pooled.
    """

    widths: tuple[int, ...]
    classes: int = 0
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x: Videos, y: Labels | None = None, keys: Keys | None = None) -> Scores:
        """Scores videos as examples of classes `y`; `keys` are ignored."""
        x = each_frame(average_pool, x)
        return Projection(self.classes)(_features(x, self.widths, self.dtype, volumes=2), y)


def _features(x: Videos, widths: tuple[int, ...], dtype: DTypeLike | None, volumes: int = 0) -> Vectors:
    """Sums the features of a discriminator over pixels and frames; its first `volumes` blocks see neighboring frames.

    `Projection` is linear, so its score of the sum is the sum of its scores of frames.
    """
    b, t, *_ = x.shape
    frames = [t if i < volumes else 0 for i in range(len(widths) + 1)]
    x = x.reshape(-1, *x.shape[2:])
    for i, width in enumerate(widths):
        x = resnet.DownBlock(width, i == 0, dtype, frames[i])(x)
    x = nn.relu(resnet.Block(widths[-1], dtype, frames[-1])(x)).astype(jnp.float32)
    return jnp.sum(x.reshape(b, -1, widths[-1]), axis=1)


class Networks(NamedTuple):
    """A generator, and the discriminators of frames and of motion."""

    g: Generator | Predictor
    spatial: SpatialDiscriminator
    temporal: TemporalDiscriminator


def networks(
    shape: tuple[int, ...],
    *,
    classes: int = 0,
    given: int = 0,
    seen: int = 8,
    g_width: int,
    d_width: int,
    blocks: int = 2,
    base: int = 4,
) -> Networks:
    """Builds the networks for square videos `[T, H, H, C]`.

    The generator begins with the largest maps of at most `base` pixels a side that can be doubled to that size, at
    least twice: with 4, 32 = 4 x 2 x 2 x 2. The discriminators halve down to them. Channels double with every halving,
    up to `LARGEST` times the width.

    Args:
        shape: of the videos.
        classes: number of labels; 0 without.
        given: number of first frames from which the generator predicts the others; 0 to generate all.
        seen: number of frames that the spatial discriminator draws of each video.
        g_width: channels of the generator's maps at full size.
        d_width: channels of the discriminators' maps at half the size of the videos.
        blocks: residual blocks after each recurrent layer; the paper's two.
        base: side of the smallest maps, at most; the paper's 4.

    Raises:
        BadInput: the examples are no square videos, or cannot be halved twice to that size, or have too few frames.
    """
    side, doublings = shape[1] if len(shape) == 4 else 0, 0
    while side % 2 == 0 and side > base:
        side, doublings = side // 2, doublings + 1
    if len(shape) != 4 or shape[1] != shape[2] or side > base or doublings < 2:
        raise unsupported(
            shape, f"square videos, as moving:mnist5k, whose sides can be halved twice, to {base} or less"
        )
    frames, _, _, channels = shape
    if frames < given + seen:
        parts = f"{given} given and {seen} seen by the spatial discriminator" if given else f"{seen} of them seen"
        raise BadInput(f"videos of {frames} frames are too short for {parts}: give fewer, or longer videos")
    widths = tuple(g_width * min(2**i, LARGEST) for i in reversed(range(doublings + 1)))
    down = tuple(d_width * min(2**i, LARGEST) for i in range(doublings))
    g = Generator(frames - given, channels, side, widths, classes, blocks)
    return Networks(
        Predictor(Encoder(down, widths[:-1]), g) if given else g,
        SpatialDiscriminator(seen, down, classes, given),
        TemporalDiscriminator(down[1:], classes),
    )

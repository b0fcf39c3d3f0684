"""Frames of videos: as images for a layer, beside their neighbors in time, or drawn at random."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from gan_jax.engine.game import Keys
from gan_jax.nets.layers.convolution import Convolved, Images

Videos = Float[Array, "B T H W C"]
Frames = Float[Array, "B T_out H_out W_out C_out"]


def each_frame(layer: Callable[[Images], Convolved], x: Videos) -> Frames:
    """Applies a layer of images to every frame of videos, with one call: frames are folded into the batch."""
    y = layer(x.reshape(-1, *x.shape[2:]))
    return y.reshape(*x.shape[:2], *y.shape[1:])


def with_neighbors(x: Images, frames: int) -> Convolved:
    """Adds the frame before and the frame after as channels: `[B T, H, W, C]` to `[B T, H, W, 3 C]`.

    The images are videos of so many frames, one video after the other; before the first frame and after the last are
    zeros. With 0 frames they are no videos, and returned as they are.

    A 3 x 3 convolution of the result is a 3 x 3 x 3 convolution of the videos, its kernel `[3, 3, 3, C, F]` (height,
    width, time) in the shape `[3, 3, 3 C, F]`: as fast as a convolution of images, on any backend.
    """
    if not frames:
        return x
    videos = jnp.pad(x.reshape(-1, frames, *x.shape[1:]), ((0, 0), (1, 1), (0, 0), (0, 0), (0, 0)))
    taps = [videos[:, i : i + frames] for i in range(3)]
    return jnp.concatenate(taps, axis=-1).reshape(*x.shape[:-1], 3 * x.shape[-1])


def draw_frames(x: Shaped[Array, "B T ..."], k: int, keys: Keys) -> Shaped[Array, "B k ..."]:
    """Draws `k` different frames of every video, in random order; uniform, and independent of the other videos."""

    def draw(video: Shaped[Array, "T ..."], key: jax.Array) -> Shaped[Array, "k ..."]:
        return video[jax.random.permutation(key, len(video))[:k]]

    return jax.vmap(draw)(x, keys)

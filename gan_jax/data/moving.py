"""Moving MNIST: videos as a function of images and keys, never stored.

Pixels are whole numbers of 8 bits and positions whole numbers of 1/256 pixel, whose sums do not round: reflections are
exact, and the bits are the same in every program. Between pixels an image is drawn bilinearly: its center of brightness
moves by exactly the velocity, where an image that is rounded to whole pixels stumbles by one every few frames.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Float32, Int32, Key

from gan_jax.data.derived import derive, image_shape
from gan_jax.data.modality import VIDEO, Leaf
from gan_jax.data.source import Source
from gan_jax.engine.game import Batch, Keys
from gan_jax.errors import BadInput

FRAMES = 16
SIDE, DIGIT = 32, 16
"""Sides of a frame, and of the image that moves in it."""
SPEED = (1.0, 3.0)
"""The slowest and the fastest, in pixels a frame."""

UNIT = 256
"""Positions in a pixel."""
ROOM = UNIT * (SIDE - DIGIT)
WHITE = 255 * UNIT**2
"""What white sums up to; below 2**24, so sums of float32 are exact."""


def moving(source: Source) -> Source:
    """Makes a video `x` `[16, 32, 32, C]` of every image, reduced to 16 pixels, which moves on black and bounces.

    Start, direction and speed are uniform and depend on the key of the example alone: every epoch has other videos.

    Raises:
        BadInput: there are no images `x`, or they are not square.

    Srivastava et al. 2015, "Unsupervised learning of video representations using LSTMs", sec. 3.1
    (https://arxiv.org/abs/1502.04681), move two digits of 28 pixels in 20 frames of 64x64.
    """
    height, width, channels = image_shape(source)
    if height != width:
        raise BadInput(f"{source.name} has images of {width}x{height}, and square ones move: crop with --image-size")

    def film(batch: Batch, keys: Keys) -> Batch:
        return batch | {"x": jax.vmap(lambda image, key: draw(shrink(image), random_path(key)))(batch["x"], keys)}

    return derive(source, {**source.spec, "x": Leaf((FRAMES, SIDE, SIDE, channels), VIDEO)}, film)


def random_path(key: Key[Array, ""]) -> Int32[Array, "T 2"]:
    """Draws the position in every frame, down and right, from 0 to `ROOM`."""
    of_start, of_direction, of_speed = jax.random.split(key, 3)
    start = jax.random.randint(of_start, (2,), 0, ROOM + 1, jnp.int32)
    angle = jax.random.uniform(of_direction, (), jnp.float32, 0, 2 * math.pi)
    speed = UNIT * jax.random.uniform(of_speed, (), jnp.float32, *SPEED)
    velocity = jnp.round(speed * jnp.stack([jnp.sin(angle), jnp.cos(angle)])).astype(jnp.int32)
    return bounce(start, velocity, ROOM, FRAMES)


def bounce(start: Int32[Array, " D"], velocity: Int32[Array, " D"], room: int, frames: int) -> Int32[Array, "T D"]:
    """Moves a point between walls at 0 and `room`: p(t) = room - |room - (start + velocity t) mod 2 room|."""
    t = jnp.arange(frames, dtype=jnp.int32)
    unfolded = start[None] + t[:, None] * velocity[None]
    return room - jnp.abs(room - unfolded % (2 * room))


def shrink(image: Float[Array, "S S C"]) -> Float32[Array, "D D C"]:
    """Averages an image in [-1, 1] over areas, to `DIGIT` pixels a side, and rounds it to 0 ... 255."""
    side = image.shape[0]
    ends = side * np.arange(1, DIGIT + 1)[:, None], DIGIT * np.arange(1, side + 1)[None]
    shared = np.minimum(*ends) - np.maximum(ends[0] - side, ends[1] - DIGIT)  # of pixels, in 1 / DIGIT of them
    area = (np.maximum(shared, 0) // math.gcd(side, DIGIT)).astype(np.float32)
    levels = jnp.round((image + 1) * 127.5)
    total = jnp.einsum("ri,ijc,kj->rkc", area, levels, area, precision=lax.Precision.HIGHEST).astype(jnp.int32)
    whole = (side // math.gcd(side, DIGIT)) ** 2
    return ((total + whole // 2) // whole).astype(jnp.float32)


def draw(image: Float32[Array, "D D C"], path: Int32[Array, "T 2"]) -> Float32[Array, "T H W C"]:
    """Draws an image of 0 ... 255 on black at every position of a path: frames in [-1, 1]."""
    pixels = UNIT * (np.arange(SIDE)[:, None] - np.arange(DIGIT)[None]).astype(np.int32)

    def spread(position: Int32[Array, " T"]) -> Float32[Array, "T S D"]:
        """Computes how much of every pixel of the image each pixel of the frame shows."""
        return jnp.maximum(UNIT - jnp.abs(pixels[None] - position[:, None, None]), 0).astype(jnp.float32)

    rows, columns = spread(path[:, 0]), spread(path[:, 1])
    light = jnp.einsum("tri,ijc,tkj->trkc", rows, image, columns, precision=lax.Precision.HIGHEST)
    return (2 * light - WHITE) * np.float32(1 / WHITE)

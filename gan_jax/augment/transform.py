"""The type of a transform of examples, and what makes one of images one of videos."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput

Examples = Float[Array, "B ..."]

Transform = Callable[[Examples, Keys], Examples]
"""`transform(x, keys) -> x`, with one key per example."""

ImagesOrVideos = Float[Array, "B *T H W C"]
"""`[B, H, W, C]` or `[B, T, H, W, C]`, in [-1, 1]."""


def same_for_frames(transform: Callable[..., Float[Array, "B H W C"]]) -> Callable[..., Examples]:
    """Makes a transform of images, equal for all channels, one of videos too: all frames of a clip change alike.

    The discriminator would otherwise see a motion that no clip has.

    Raises:
        BadInput: the examples are neither, when it is applied.
    """

    @wraps(transform)
    def changed(x: Examples, *args: Any) -> Examples:
        check_images_or_videos(x, transform.__name__)
        if x.ndim == 4:
            return transform(x, *args)
        n, frames, height, width, channels = x.shape
        as_channels = jnp.moveaxis(x, 1, 3).reshape(n, height, width, frames * channels)
        return jnp.moveaxis(transform(as_channels, *args).reshape(n, height, width, frames, channels), 3, 1)

    return changed


def check_images_or_videos(x: Examples, name: str) -> None:
    """Raises `BadInput` for examples that are neither images nor videos, to be transformed by `name`."""
    if x.ndim not in (4, 5):
        raise BadInput(
            f"{name} changes images and videos, and examples are {list(x.shape[1:])} here: for sounds choose among "
            "gain, shift, mask and ada_sound"
        )

"""Random transforms of sounds that a discriminator sees, real and fake; generators learn through them.

DiffAugment (`augment.diff_augment`) has none for sounds. These are its color, translation and cutout along time.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.augment.transform import Transform
from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split, uniform
from gan_jax.errors import BadInput

Sounds = Float[Array, "B T"]
"""In [-1, 1]."""


def gain(x: Sounds, keys: Keys) -> Sounds:
    """Multiplies sounds by u + 1/2, with u drawn from [0, 1); values may leave [-1, 1]."""
    _check(x, "gain")
    return x * (uniform(keys) + 0.5)[:, None]


def shift(x: Sounds, keys: Keys) -> Sounds:
    """Moves sounds by up to an eighth of their length, in whole samples; what comes in is silent."""
    _check(x, "shift")
    reach = round(x.shape[1] / 8)
    places = jnp.int32((2 * reach + 1) * uniform(keys))
    padded = jnp.pad(x, ((0, 0), (reach, reach)))
    return jax.vmap(lambda sound, place: jax.lax.dynamic_slice(sound, (place,), x.shape[1:]))(padded, places)


def mask(x: Sounds, keys: Keys) -> Sounds:
    """Silences a quarter of the length; its center is anywhere in the sound."""
    _check(x, "mask")
    length = x.shape[1]
    since = jnp.arange(length)[None] - (jnp.int32(length * uniform(keys)) - length // 8)[:, None]
    return jnp.where((since >= 0) & (since < length // 4), 0.0, x)


def gain_shift_mask(x: Sounds, keys: Keys, p: Float[Array, ""]) -> Sounds:
    """Applies `gain`, `shift` and `mask`, each with probability `p`: what `games.adaptive` needs for sounds."""
    for transform, own in zip((gain, shift, mask), split(keys, 3), strict=True):
        x = _sometimes(transform, x, own, p)
    return x


def _sometimes(transform: Transform, x: Sounds, keys: Keys, p: Float[Array, ""]) -> Sounds:
    which, own = split(keys, 2)
    return jnp.where((uniform(which) < p)[:, None], transform(x, own), x)


def _check(x: Sounds, name: str) -> None:
    """Raises `BadInput` for examples that are not sounds."""
    if x.ndim != 2:
        raise BadInput(
            f"{name} changes sounds, and examples are {list(x.shape[1:])} here: for images and videos choose among "
            "color, translation, cutout and ada"
        )

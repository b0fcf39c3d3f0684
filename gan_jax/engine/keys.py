"""Random numbers per example: one key for each example in, one draw for each example out."""

import zlib

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from gan_jax.engine.collectives import device_index
from gan_jax.engine.game import Keys


def normal(keys: Keys, size: int) -> Float[Array, "B Z"]:
    """Standard normal latents `z`, `[B, size]` float32."""
    return jax.vmap(lambda key: jax.random.normal(key, (size,)))(keys)


def uniform(keys: Keys) -> Float[Array, " B"]:
    """One uniform number in [0, 1) for each example, `[B]` float32."""
    return jax.vmap(jax.random.uniform)(keys)


def split(keys: Keys, n: int) -> tuple[Keys, ...]:
    """`n` independent keys for every example, as `n` arrays `[B]`: one for each thing a loss draws."""
    return tuple(jax.vmap(jax.random.fold_in, (0, None))(keys, i) for i in range(n))


def named_key(key: Key[Array, ""], name: str) -> Key[Array, ""]:
    """A key of its own for everything that has a name, independent of what else there is."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def example_keys(key: Key[Array, ""], n: int) -> Keys:
    """`n` keys, one per example, by the example's index in the *whole* batch, whatever share this device holds."""
    index = device_index() * n + jnp.arange(n)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, index)

"""Random numbers per example: `[B]` keys in, `[B, ...]` draws out."""

import zlib

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from gan_jax.engine.collectives import device_index
from gan_jax.priors import Keys, Normal


def normal(keys: Keys, size: int) -> Float[Array, "B Z"]:
    """Draws standard normal latents `[B, size]` float32."""
    return Normal(size).draw(keys)


def uniform(keys: Keys) -> Float[Array, " B"]:
    """Draws from the uniform distribution on [0, 1), `[B]` float32."""
    return jax.vmap(lambda key: jax.random.uniform(key, (), jnp.float32))(keys)


def split(keys: Keys, n: int) -> tuple[Keys, ...]:
    """Splits every example's key into `n` independent ones, returned as `n` arrays `[B]`."""
    return tuple(jax.vmap(jax.random.fold_in, (0, None))(keys, i) for i in range(n))


def named_key(key: Key[Array, ""], name: str) -> Key[Array, ""]:
    """Derives the key of a name, independent of all other names."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def example_keys(key: Key[Array, ""], n: int) -> Keys:
    """Derives this device's `n` keys, one per example, from the example's index in the *whole* batch."""
    index = device_index() * n + jnp.arange(n)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, index)

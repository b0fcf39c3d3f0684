"""Random numbers per example: one key for each example in, one draw for each example out."""

import jax
from jaxtyping import Array, Float

from gan_jax.game import Keys


def normal(keys: Keys, size: int) -> Float[Array, "B Z"]:
    """Standard normal latents `z`, `[B, size]` float32."""
    return jax.vmap(lambda key: jax.random.normal(key, (size,)))(keys)


def uniform(keys: Keys) -> Float[Array, " B"]:
    """One uniform number in [0, 1) for each example, `[B]` float32."""
    return jax.vmap(jax.random.uniform)(keys)


def split(keys: Keys, n: int) -> tuple[Keys, ...]:
    """`n` independent keys for every example, as `n` arrays `[B]`: one for each thing a loss draws."""
    return tuple(jax.vmap(jax.random.fold_in, (0, None))(keys, i) for i in range(n))

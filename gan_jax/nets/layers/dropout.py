"""Dropout from per-example keys."""

import zlib

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Key, UInt8

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput


class Dropout(nn.Module):
    """Zeroes each element with probability `rate` and rescales the rest; the identity without keys.

    Eight random bits decide an element, so `rate` is rounded to a multiple of 1/256 (0.3 is 77/256), and so is the
    scale. A module's path selects its random stream, so all layers of a network may share the same keys; a module
    called twice drops the same elements twice.

    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
    """

    rate: float

    def __call__(self, x: Float[Array, "B ..."], keys: Keys | None = None) -> Float[Array, "B ..."]:
        """Drops elements of each example, by its own key.

        Raises:
            BadInput: `rate`, rounded, is not in [0, 1).
        """
        dropped = round(256 * self.rate)
        if not 0 <= dropped < 256:
            raise BadInput(f"dropout rate {self.rate} is not supported: give a rate of at least 0 and less than 1")
        if keys is None or dropped == 0:
            return x
        stream = zlib.crc32("/".join(self.path).encode())
        noise = jax.vmap(lambda key: _random_bytes(jax.random.fold_in(key, stream), x[0].size))(keys)
        return jnp.where(noise.reshape(x.shape) >= dropped, x * (256 / (256 - dropped)), 0)


def _random_bytes(key: Key[Array, ""], n: int) -> UInt8[Array, " n"]:
    """Draws `n` random bytes, four per word: `jax.random.bits` of uint8 draws a whole word for each."""
    words = jax.random.bits(key, (-(-n // 4),), jnp.uint32)
    return lax.bitcast_convert_type(words, jnp.uint8).reshape(-1)[:n]

"""Phase shuffle, which hides from a discriminator of sounds at which phase an artifact occurs."""

import zlib

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys


class PhaseShuffle(nn.Module):
    """Moves every sequence by -n to n samples, and fills the gap by reflection; the identity without keys.

    All channels of a sequence move alike. The shift depends on the key of the example and on the module's path, so that
    sequences of a batch and layers of a network, which may share keys, move independently. (The authors' program draws
    one shift per batch.)

    Donahue et al. 2019, "Adversarial audio synthesis", sec. 3.3 (https://arxiv.org/abs/1802.04208).
    """

    n: int

    def __call__(self, x: Float[Array, "B T C"], keys: Keys | None = None) -> Float[Array, "B T C"]:
        """Shifts each example by its own key."""
        if keys is None or not self.n:
            return x
        stream = zlib.crc32("/".join(self.path).encode())
        padded = jnp.pad(x, ((0, 0), (self.n, self.n), (0, 0)), mode="reflect")

        def shifted(x: Float[Array, "S C"], key: Array) -> Float[Array, "T C"]:
            start = jax.random.randint(jax.random.fold_in(key, stream), (), 0, 2 * self.n + 1)
            return lax.dynamic_slice_in_dim(x, start, len(x) - 2 * self.n)

        return jax.vmap(shifted)(padded, keys)

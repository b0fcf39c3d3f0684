"""PacGAN: a discriminator of several examples at once."""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.errors import BadInput
from gan_jax.nets.layers.minibatch import Features


class Packed(nn.Module):
    """A discriminator of packs of `m` consecutive examples: one score per pack, `[B / m]`.

    Examples are concatenated along the last axis: images `[B, H, W, C]` become `[B / m, H, W, m C]`, points `[B, 2]`
    become `[B / m, 2 m]`. A pack uses the key of its first example.

    Lin et al. 2018, "PacGAN: the power of two samples in generative adversarial networks"
    (https://arxiv.org/abs/1712.04086).
    """

    net: nn.Module
    m: int

    def __call__(self, x: Features, keys: Keys | None = None) -> Float[Array, " packs"]:
        """Scores packs.

        Raises:
            BadInput: the batch size is not a multiple of `m`.
        """
        b, *space, c = x.shape
        if b % self.m:
            raise BadInput(f"a batch of {b} cannot be packed by {self.m}: give a batch size that is a multiple of it")
        packs = jnp.moveaxis(x.reshape(-1, self.m, *space, c), 1, -2).reshape(-1, *space, self.m * c)
        return self.net(packs, None if keys is None else keys[:: self.m])

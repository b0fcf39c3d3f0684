"""A discriminator that sees its images augmented."""

from collections.abc import Callable

from flax import linen as nn
from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split


class Augmented(nn.Module):
    """Computes `d(t(x), keys)`, where `t` is every function of `transforms` in order, with keys of its own.

    The players of any game may have such a network: its real and fake examples are augmented, generators learn through
    the transforms, and penalties see them. Without keys, as when networks are initialized, `x` is seen as it is.
    """

    d: nn.Module
    transforms: tuple[Callable[[Float[Array, "B ..."], Keys], Float[Array, "B ..."]], ...]

    def __call__(self, x: Float[Array, "B ..."], keys: Keys | None = None) -> Float[Array, "B ..."]:
        """Scores examples `[B, ...]`; `keys` `[B]` draw the transforms and what `d` draws."""
        if keys is None:
            return self.d(x)
        *draws, keys = split(keys, len(self.transforms) + 1)
        for transform, each in zip(self.transforms, draws, strict=True):
            x = transform(x, each)
        return self.d(x, keys)

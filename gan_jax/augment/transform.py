"""The type of a transform, and transforms one after the other."""

from collections.abc import Callable

from jaxtyping import Array, Float

from gan_jax.engine.game import Keys
from gan_jax.engine.keys import split

Transform = Callable[[Float[Array, "B ..."], Keys], Float[Array, "B ..."]]
"""`transform(x, keys) -> x`, with one key per example."""


def chain(*transforms: Transform) -> Transform:
    """Makes the transform that applies all in order, each with keys of its own."""

    def chained(x: Float[Array, "B ..."], keys: Keys) -> Float[Array, "B ..."]:
        for transform, own in zip(transforms, split(keys, len(transforms)), strict=True):
            x = transform(x, own)
        return x

    return chained

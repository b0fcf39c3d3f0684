"""The type of a transform of examples."""

from collections.abc import Callable

from jaxtyping import Array, Float

from gan_jax.engine.game import Keys

Transform = Callable[[Float[Array, "B ..."], Keys], Float[Array, "B ..."]]
"""`transform(x, keys) -> x`, with one key per example."""

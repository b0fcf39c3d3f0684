"""How different samples are from each other, beside real examples: what a collapsed generator loses first."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.data import Source
from gan_jax.data.on_device import to_batch
from gan_jax.engine.game import Game, Metrics, State
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import Draw

EXAMPLES = 64


def diversity(game: Game, source: Source, seed: int, draw: Draw) -> Callable[[State], Metrics]:
    """`look(state) -> {"diversity": ...}`, the mean distance of two samples over that of two real examples.

    1 is as different as real, 0 is one and the same. Always of the same latents, and of real examples from all over
    the data.
    """
    some = np.linspace(0, source.size - 1, min(source.size, EXAMPLES)).astype(int)
    real = mean_distance(to_batch(jax.tree.map(jnp.asarray, source.read(some)))["x"])
    shown = draw_latents(game, jax.random.key(seed), EXAMPLES)
    return lambda state: {"diversity": mean_distance(draw(state, shown)) / jnp.maximum(real, 1e-12)}


@jax.jit
def mean_distance(x: Float[Array, "N ..."]) -> Float[Array, ""]:
    """The mean Euclidean distance of two of `x`, over all pairs; 0 where there are no two."""
    n = x.shape[0]
    flat = x.reshape(n, -1) - jnp.mean(x, axis=0).reshape(1, -1)  # near 0, where the next line cancels least
    squares = jnp.sum(flat**2, axis=1)
    apart = jnp.sqrt(jnp.maximum(squares[:, None] + squares[None, :] - 2 * flat @ flat.T, 0))
    return jnp.sum(jnp.where(jnp.eye(n, dtype=bool), 0, apart)) / max(n * (n - 1), 1)

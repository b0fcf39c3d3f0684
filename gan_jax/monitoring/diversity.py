"""Measures the diversity of samples relative to real examples, which drops first when a generator collapses."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gan_jax.aliases import old_names
from gan_jax.data import Source
from gan_jax.data.source import read_batch
from gan_jax.engine.game import Game, Latents, Metrics, State
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import Draw

EXAMPLES = 64

__getattr__ = old_names(__name__)


def diversity_ratio(game: Game, source: Source, seed: int, draw: Draw) -> Callable[[State], Metrics]:
    """Returns `state -> {"diversity_ratio": ...}`: mean distance of samples divided by mean distance of real examples.

    1: as diverse as the real examples; 0: all samples are equal. The latents and the real examples, which are spread
    evenly over the data, are the same every time. Empty for a game with conditions, whose samples follow its inputs.
    """
    if game.conditions:
        return lambda state: {}

    @cache  # computed while the device trains: the first chunk does not wait for it
    def constants() -> tuple[Latents, Float[Array, ""]]:
        some = np.linspace(0, source.size - 1, min(source.size, EXAMPLES)).astype(int)
        real = mean_distance(read_batch(source, some)["x"])
        return draw_latents(game, jax.random.key(seed), EXAMPLES), jnp.maximum(real, 1e-12)

    def scores(state: State) -> Metrics:
        shown, real = constants()
        return {"diversity_ratio": mean_distance(draw(state, shown)) / real}

    return scores


@jax.jit
def mean_distance(x: Float[Array, "N ..."]) -> Float[Array, ""]:
    """Computes the mean Euclidean distance over all pairs of `x`; 0 for a single example."""
    n = x.shape[0]
    flat = x.reshape(n, -1) - jnp.mean(x, axis=0).reshape(1, -1)  # centered: less cancellation in the next lines
    squares = jnp.sum(flat**2, axis=1)
    apart = jnp.sqrt(jnp.maximum(squares[:, None] + squares[None, :] - 2 * flat @ flat.T, 0))
    return jnp.sum(jnp.where(jnp.eye(n, dtype=bool), 0, apart)) / max(n * (n - 1), 1)

"""What the generator has learned, drawn and judged: samples of chosen latents, a run's picture, its own scores."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from gan_jax.engine.game import Game, Latents, State
from gan_jax.engine.networks import bind

CHUNK = 64
"""Images in one call of the network: bounds the memory, and every call is the same program with the same bits."""

Draw = Callable[[State, Latents], Float[np.ndarray, "N ..."]]
"""`draw(state, latents) -> samples`."""


def sampler(game: Game) -> Draw:
    """`draw(state, latents) -> images in [-1, 1]`, by the players' moving averages; compiled once."""

    @jax.jit
    def chunk(players, latents):
        return game.sample(bind(game, players), latents)

    def draw(state: State, latents: Latents) -> Float[np.ndarray, "N ..."]:
        n = latents["z"].shape[0]
        images = []
        for start in range(0, n, CHUNK):
            rows = jnp.arange(start, start + CHUNK) % n
            images.append(chunk(state.players, {name: leaf[rows] for name, leaf in latents.items()}))
        return np.concatenate(images)[:n]

    return draw

"""Draws samples from a trained game."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from gan_jax.engine.game import Game, Latents, State
from gan_jax.engine.networks import bind

CHUNK = 64
"""Samples per call of the network: bounds memory, and makes every call the same program with the same bits."""

Draw = Callable[[State, Latents], Float[np.ndarray, "N ..."]]
"""`draw(state, latents) -> samples`."""


def sampler(game: Game) -> Draw:
    """Returns `draw(state, latents) -> samples`, images in [-1, 1], from the EMA parameters; compiled once."""

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

"""Draws samples from a trained game."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from gan_jax.engine.game import Game, Latents, PlayerState, State
from gan_jax.engine.networks import bind

CHUNK = 64
"""Samples per call of the network: bounds memory, and makes every call the same program with the same bits."""

Samples = Float[np.ndarray, "N ..."] | dict[str, Float[np.ndarray, "N ..."]]
"""Samples of a game, or several arrays by name: `fake_b`, `cycle_a`."""

Draw = Callable[[State, Latents], Samples]
"""`draw(state, latents) -> samples`."""


def generate(game: Game, players: Mapping[str, PlayerState], latents: Latents, step: Any) -> Any:
    """Draws samples from a game: those of `game.sample`, which may take the step. Names stay in its order."""
    at = (step,) if len(signature(game.sample).parameters) > 2 else ()
    samples = game.sample(bind(game, players), latents, *at)
    return OrderedDict(samples) if isinstance(samples, Mapping) else samples  # `jit` sorts the names of a dict


def sampler(game: Game) -> Draw:
    """Returns `draw(state, latents) -> samples`, images in [-1, 1], from the EMA parameters; compiled once."""

    @jax.jit
    def chunk(players, latents, step):
        return generate(game, players, latents, step)

    def draw(state: State, latents: Latents) -> Samples:
        n = len(next(iter(latents.values())))
        drawn = []
        for start in range(0, n, CHUNK):
            rows = jnp.arange(start, start + CHUNK) % n
            drawn.append(chunk(state.players, {name: leaf[rows] for name, leaf in latents.items()}, state.step))
        return jax.tree.map(lambda *each: np.concatenate(each)[:n], *drawn)

    return draw

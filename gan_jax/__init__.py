"""Generative adversarial networks as games between pure functions: the public names.

Folders import downwards only, as the contracts in `pyproject.toml` list them.
"""

from gan_jax import aliases, games, losses, metrics, penalties
from gan_jax import metrics as evaluate
from gan_jax.engine import keys, parallel
from gan_jax.engine import keys as latents
from gan_jax.engine.game import Batch, Game, Metrics, Move, Player, State, Turn, images_per_step, move, turn
from gan_jax.engine.networks import bind
from gan_jax.engine.step import init, make_step
from gan_jax.errors import BadInput

aliases.install()

__all__ = [
    "BadInput",
    "Batch",
    "Game",
    "Metrics",
    "Move",
    "Player",
    "State",
    "Turn",
    "bind",
    "evaluate",
    "games",
    "images_per_step",
    "init",
    "keys",
    "latents",
    "losses",
    "make_step",
    "metrics",
    "move",
    "parallel",
    "penalties",
    "turn",
]

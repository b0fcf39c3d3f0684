"""gan_jax: generative adversarial networks as games between pure functions.

The words are in `game.py`, the engine in `step.py`, its compositions in `parallel.py`.
"""

from gan_jax import evaluate, games, latents, losses, parallel, penalties
from gan_jax.bound import bind
from gan_jax.errors import BadInput
from gan_jax.game import Batch, Game, Metrics, Move, Player, State, Turn, images_per_step, move, turn
from gan_jax.step import init, make_step

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
    "latents",
    "losses",
    "make_step",
    "move",
    "parallel",
    "penalties",
    "turn",
]

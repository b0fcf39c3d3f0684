"""Says which moves of a step had a finite loss, gradient and update."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from gan_jax.engine.game import Metrics

WATCHED = ("loss", "grad_norm", "update_norm")
"""What a move reports of itself, and that must be finite."""


FINITE_STEPS = "/finite_steps"
"""Ends the name under which a chunk of steps says how many of its first ones were finite, for every move."""


def finite(metrics: Metrics) -> dict[str, Bool[Array, ""]]:
    """Of every move in the metrics of a step, whether its loss, gradient and update are finite."""
    moves: dict[str, Bool[Array, ""]] = {}
    for name, value in metrics.items():
        move, _, what = name.rpartition("/")
        if what in WATCHED:
            moves[move] = moves.get(move, jnp.bool_(True)) & jnp.isfinite(value)
    return moves

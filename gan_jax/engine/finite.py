"""Finds the moves of a step whose loss or gradient is not finite."""

import jax.numpy as jnp
from jaxtyping import Array, Bool

from gan_jax.engine.game import Metrics

WATCHED = ("loss", "grad_norm")
"""The metrics of a move that must be finite."""

FINITE_STEPS = "/finite_steps"
"""Metric suffix: how many leading steps of a chunk were finite, per move."""


def finite(metrics: Metrics) -> dict[str, Bool[Array, ""]]:
    """Tests, for every move in the metrics of a step, whether all `WATCHED` metrics are finite."""
    moves = {}
    for name, value in metrics.items():
        move, _, metric = name.rpartition("/")
        if metric in WATCHED:
            moves[move] = moves.get(move, jnp.bool_(True)) & jnp.isfinite(value)
    return moves

"""Detects the first step, and the moves, with numbers that are not finite."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from gan_jax.engine.game import Metrics, State

WATCHED = ("loss", "grad_norm")
"""The metrics of a move that must be finite."""

FINITE_STEPS = "/finite_steps"
"""Metric suffix: how many leading steps of a chunk were finite, per move."""


class NonFinite(RuntimeError):
    """The loss or gradient of a move is not finite, or a player's parameters; one line: names, first step, advice.

    The command line prints it and exits with code 3. The broken state is not saved, so the same command resumes from
    the last sound checkpoint.
    """

    def __init__(self, moves: list[str], step: int):
        self.moves, self.step = moves, step
        self.what = f"the numbers of {' and '.join(moves)} are not finite from step {step:,} on"
        cure = "lower the learning rates, give the discriminator a gradient penalty, or retry from the last checkpoint"
        super().__init__(f"{self.what}: {cure}: --rollbacks 3")


def finite(metrics: Metrics) -> dict[str, Bool[Array, ""]]:
    """Tests, for every move in the metrics of a step, whether all `WATCHED` metrics are finite."""
    moves = {}
    for name, value in metrics.items():
        move, _, metric = name.rpartition("/")
        if metric in WATCHED:
            moves[move] = moves.get(move, jnp.bool_(True)) & jnp.isfinite(value)
    return moves


def is_informative(name: str, value: object, steps: int) -> bool:
    """Whether to log a metric of a chunk: the count of finite steps is left out if all `steps` were finite."""
    return not (name.endswith(FINITE_STEPS) and np.all(np.asarray(value) == steps))


def check_finite(record: dict[str, int | float], before: int) -> None:
    """Raises `NonFinite` if a move was not finite in a step of the record's chunk, which follows step `before`."""
    counts = {name.removesuffix(FINITE_STEPS): int(n) for name, n in record.items() if name.endswith(FINITE_STEPS)}
    if counts:
        first = min(counts.values())
        raise NonFinite([move for move, n in counts.items() if n == first], before + first + 1)


def check_parameters(state: State) -> None:
    """Raises `NonFinite` if a player's parameters are not finite: an update may overflow where the gradient does not.

    The loop calls it before it saves a state. Between, the next loss tells.
    """

    def sound(leaf: jax.Array) -> bool:
        return not jnp.issubdtype(leaf.dtype, jnp.inexact) or bool(np.isfinite(np.asarray(leaf)).all())

    broken = [name for name, player in state.players.items() if not all(map(sound, jax.tree.leaves(player.params)))]
    if broken:
        raise NonFinite(broken, int(state.step))

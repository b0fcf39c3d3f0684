"""Plays many steps in one dispatch, and sums up their metrics."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from gan_jax.engine.game import Batch, Metrics, State
from gan_jax.engine.parallel import Step
from gan_jax.monitoring.finite import FINITE_STEPS, finite

Sums = tuple[Int[Array, ""], Metrics, dict[str, Int[Array, ""]]]
"""Of a chunk so far: its steps, its metrics added up, and how many leading steps were finite, by move."""

NORM = "grad_norm"
"""The metric of a move that is taken in the last step of a chunk only: read once more in each, the gradients would cost
5 % of the step of a small batch. A gradient that is not finite shows in the next step's losses."""


def over_steps(step: Step, load: Callable[[PyTree, PyTree], Batch]) -> Callable:
    """Makes a chunk, `(state, arrays, inputs, n) -> (state, sums)`: many steps in one dispatch, for training loops.

    `load(arrays, input) -> batch` makes each step's batch inside the loop. Leaves of `inputs` are `[N, ...]`, one row
    per step; the first `n` are played. `n` is traced: chunks of every length run one program and give the same bits.
    `mean(sums)` are the chunk's metrics; a chunk with large inputs is played in parts, each continuing from `sums`.
    Arguments after these, the variables of frozen networks, are the step's, which also takes `measured`: whether it is
    the last one.
    """

    def chunk(state: State, arrays: PyTree, inputs: PyTree, n: Int[Array, ""], sums: Any = None, *frozen: Any) -> tuple:
        @partial(jax.jit, inline=True)  # traced once, for the shapes and for the loop
        def one(i: Int[Array, ""] | int, state: State) -> tuple[State, Metrics]:
            return step(state, load(arrays, jax.tree.map(lambda leaf: leaf[i], inputs)), *frozen, measured=i == n - 1)

        def body(i: Int[Array, ""], carry: tuple[State, Sums]) -> tuple[State, Sums]:
            (state, (steps, total, counts)), (state, metrics) = carry, one(i, carry[0])
            counts = {m: counts[m] + (ok & (counts[m] == steps)).astype(jnp.int32) for m, ok in finite(metrics).items()}
            total = {m: value if _is_last(m, total) else total[m] + value for m, value in metrics.items()}
            return state, (steps + 1, total, counts)

        return jax.lax.fori_loop(0, n, body, (state, sums or no_steps(jax.eval_shape(one, 0, state)[1])))

    return chunk


def no_steps(metrics: PyTree) -> Sums:
    """Returns the sums of a chunk that has not begun, by the shapes and dtypes of its metrics."""
    total = jax.tree.map(lambda m: jnp.zeros(m.shape, m.dtype), metrics)
    return jnp.int32(0), total, {move: jnp.int32(0) for move in finite(total)}


def mean(sums: Sums) -> Metrics:
    """Computes the means of metrics over the steps in which their move was played, and `<move>/finite_steps`.

    The gradient norm of a move of every step is that of the last step.
    """
    steps, total, counts = sums[0].astype(jnp.float32), *sums[1:]
    played = {name: f"{name.partition('/')[0]}/played" for name in total}
    times = {name: steps if name == lazy else total.get(lazy, steps) for name, lazy in played.items()}
    means = {m: value if _is_last(m, total) else value / jnp.maximum(times[m], 1) for m, value in total.items()}
    return means | {f"{move}{FINITE_STEPS}": count.astype(jnp.float32) for move, count in counts.items()}


def _is_last(name: str, metrics: Metrics) -> bool:
    move, _, metric = name.partition("/")
    return metric == NORM and f"{move}/played" not in metrics

"""Trains the frozen networks of our own: AdamW on a loss of random batches, with a cosine schedule."""

from collections.abc import Callable, Sequence

import jax
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Float, Int, Key, PyTree

from gan_jax.errors import BadInput

BATCH = 128
LEARNING_RATE = 2e-3
"""The initial value of the cosine schedule, which ends at 0."""

Params = PyTree[Array]
Loss = Callable[[Params, PyTree[Array], Int[Array, " B"], Key[Array, ""]], Float[Array, ""]]
"""`loss(params, data, rows, key)` of a batch of examples, those of `data` at `rows`."""


def fit(loss: Loss, params: Params, data: PyTree[Array], n: int, passes: Sequence[Key[Array, ""]]) -> Params:
    """Minimizes a loss over `n` examples and returns the parameters, which depend on the arguments only.

    Each of `passes` is the key of an epoch: N // 128 batches of 128 examples in a new random order; the remaining ones
    are skipped.

    Args:
        loss: the loss of a batch.
        params: initial parameters.
        data: the examples, in any form that the loss reads.
        n: the number of examples, at least 128.
        passes: a key for every epoch.
    """
    steps = n // BATCH
    tx = optax.adamw(optax.cosine_decay_schedule(LEARNING_RATE, len(passes) * steps))

    @jax.jit
    def epoch(state: PyTree[Array], data: PyTree[Array], key: Key[Array, ""]) -> PyTree[Array]:
        def step(state: PyTree[Array], inputs: tuple[Array, Array]) -> tuple[PyTree[Array], None]:
            (params, opt), (rows, key) = state, inputs
            slope = jax.grad(loss)(params, data, rows, key)
            with jax.numpy_dtype_promotion("standard"):  # optax's Adam raises under strict promotion
                updates, opt = tx.update(slope, opt, params)
            return (optax.apply_updates(params, updates), opt), None

        order, noise = jax.random.split(key)
        rows = jax.random.permutation(order, n)[: steps * BATCH].reshape(steps, BATCH)
        return lax.scan(step, state, (rows, jax.random.split(noise, steps)))[0]

    state = params, tx.init(params)
    for key in passes:
        state = epoch(state, data, key)
    return state[0]


def check_labels(labels: Int[np.ndarray, "_"], n: int, classes: int, examples: str = "images") -> None:
    """Raises `BadInput` unless there are at least 128 examples, each with a label from 0 to `classes` - 1."""
    if n < BATCH:
        raise BadInput(f"{n} {examples} are too few to train a classifier, at least {BATCH} are needed: draw more")
    if len(labels) != n or labels.min() < 0 or labels.max() >= classes:
        what = f"labels must be {n} integers from 0 to {classes - 1}"
        raise BadInput(f"{what}, one per {examples.removesuffix('s')}: check the labels")

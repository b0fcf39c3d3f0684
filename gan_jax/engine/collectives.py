"""The mapped axis that a batch is split over, so that a layer or a loss deep inside a step can average over it.

Under the default `jit` with a sharded batch, every mean is global already and there is no axis. Under `shard_map` and
`pmap` each device sees its share of the batch, and what is meant to be a statistic of the whole batch (batch norm, a
relativistic average, a gradient) must be averaged over the axis by name. `make_step(game, axis_name)` puts the name
in scope while the step is traced; code that needs a batch statistic calls `pmean`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import jax
import jax.numpy as jnp

Tree = TypeVar("Tree")

_axis_name: ContextVar[str | None] = ContextVar("batch axis", default=None)


@contextmanager
def batch_axis(name: str | None) -> Iterator[None]:
    """Puts `name` in scope as the axis the batch is split over; `None` says that it is not split."""
    token = _axis_name.set(name)
    try:
        yield
    finally:
        _axis_name.reset(token)


def pmean(tree: Tree) -> Tree:
    """The mean of every float leaf over the devices that share the batch; the identity where none do."""
    name = _axis_name.get()
    if name is None:
        return tree
    return jax.tree.map(lambda x: jax.lax.pmean(x, name) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


def all_gather(x: jax.Array) -> jax.Array:
    """The whole batch `[B, ...]` in order, of which each device holds a share: for what compares examples."""
    name = _axis_name.get()
    return x if name is None else jax.lax.all_gather(x, name, tiled=True)


def device_index() -> int | jax.Array:
    """Which share of the batch this device holds, counted from 0."""
    name = _axis_name.get()
    return 0 if name is None else jax.lax.axis_index(name)

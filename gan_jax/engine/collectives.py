"""Collectives over the mapped axis that the batch is split over; every one is the identity where no axis is mapped.

Under `shard_map` and `pmap` each device has a share of the batch, and a statistic of the whole batch (batch norm, a
relativistic average, a gradient) must be reduced over the axis by name. Under `jit`, sharded or not, there is no axis.

The axis name is ambient state of a traced step, set by `make_step(game, axis_name)`: layers deep inside a network need
it, and no user's loss or module should have to pass it on. Outside a step, set it with `batch_axis`.
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
    """Sets the axis that the batch is split over; `None` where it is not split."""
    token = _axis_name.set(name)
    try:
        yield
    finally:
        _axis_name.reset(token)


def pmean(tree: Tree) -> Tree:
    """Averages every float leaf over the axis; leaves integers and booleans alone."""
    name = _axis_name.get()
    if name is None:
        return tree
    return jax.tree.map(lambda x: jax.lax.pmean(x, name) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


def all_gather(x: jax.Array) -> jax.Array:
    """Gathers the shares of all devices into the whole batch `[B, ...]`, in order."""
    name = _axis_name.get()
    return x if name is None else jax.lax.all_gather(x, name, tiled=True)


def device_count() -> int:
    """Returns the number of devices along the axis."""
    name = _axis_name.get()
    return 1 if name is None else jax.lax.axis_size(name)


def device_index() -> int | jax.Array:
    """Returns this device's index along the axis."""
    name = _axis_name.get()
    return 0 if name is None else jax.lax.axis_index(name)

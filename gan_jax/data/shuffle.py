"""The index: which example is dealt when. A pure function of (seed, position), so that no iterator is ever saved."""

from collections.abc import Callable
from functools import lru_cache

import jax
import numpy as np
from jaxtyping import Int32

from gan_jax.errors import BadInput


def permutation(seed: int, size: int, epoch: int) -> Int32[np.ndarray, " size"]:
    """The order of the examples in one pass over the data."""
    return _permutations(seed, size)(epoch)


@lru_cache(maxsize=64)
def _permutations(seed: int, size: int) -> Callable[[int], Int32[np.ndarray, " size"]]:
    """Remembers the last two epochs of each of many seeds, which may be trained side by side."""

    @lru_cache(maxsize=2)
    def draw(epoch: int) -> Int32[np.ndarray, " size"]:
        with jax.default_device(_cpu()):
            key = jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), epoch)
            order = np.asarray(jax.random.permutation(key, size)).astype(np.int32)
        order.flags.writeable = False  # every caller gets this one array
        return order

    return draw


def indices(
    seed: int, size: int, steps: range, turns: int, batch_size: int, shard: tuple[int, int] = (0, 1)
) -> Int32[np.ndarray, "n turns B"]:
    """What each turn of each step is dealt: indices below `size`.

    Examples are counted over the whole run: example `b` of turn `t` of step `s` is number
    `(s * turns + t) * batch_size + b`, and every `size` of them are one epoch in an order of its own.
    Shard `(i, n)` is process `i`'s slice of the batch: the `n` shards, joined along the last axis, are the whole.
    """
    check(size, turns, batch_size, shard)
    i, n = shard
    mine = np.arange(batch_size // n) + i * (batch_size // n)
    turn = np.asarray(steps, np.int64)[:, None] * turns + np.arange(turns)
    epoch, offset = np.divmod(turn[..., None] * batch_size + mine, size)
    out = np.empty(offset.shape, np.int32)
    for e in np.unique(epoch):
        dealt = epoch == e
        out[dealt] = permutation(seed, size, int(e))[offset[dealt]]
    return out


def check(size: int, turns: int, batch_size: int, shard: tuple[int, int]) -> None:
    """Raises `BadInput` where no batch can be dealt."""
    i, n = shard
    if size < 1:
        raise BadInput("the data set is empty: there is nothing to train on")
    if turns < 1 or batch_size < 1:
        raise BadInput(f"turns and batch size must be at least 1, not {turns} and {batch_size}")
    if not 0 <= i < n:
        raise BadInput(f"shard {i} of {n} does not exist: shards are numbered from 0")
    if batch_size % n:
        raise BadInput(f"a batch of {batch_size} cannot be shared by {n} processes: make it a multiple of {n}")


def _cpu() -> jax.Device | None:
    """Where indices are computed: never in the accelerator's way. With JAX_PLATFORMS=cuda there is no CPU backend."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None

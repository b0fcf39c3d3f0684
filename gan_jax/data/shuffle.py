"""Order of the examples: a pure function of (seed, position), so no iterator state is ever saved."""

from collections.abc import Callable
from functools import lru_cache

import jax
import numpy as np
from jaxtyping import Int32, Int64

from gan_jax.errors import BadInput


def permutation(seed: int, size: int, epoch: int, order: int = 0) -> Int32[np.ndarray, " size"]:
    """Draws the order of the examples in one epoch; the orders 0, 1, ... of a seed are independent."""
    return _permutations(seed, size, order)(epoch)


@lru_cache(maxsize=64)
def _permutations(seed: int, size: int, order: int) -> Callable[[int], Int32[np.ndarray, " size"]]:
    """Caches the last two epochs of every seed: a sweep trains many seeds side by side."""

    @lru_cache(maxsize=2)
    def draw(epoch: int) -> Int32[np.ndarray, " size"]:
        with jax.default_device(_cpu()):
            key = jax.random.key(seed, impl="threefry2x32")
            for part in (order, epoch) if order else (epoch,):
                key = jax.random.fold_in(key, part)
            drawn = np.asarray(jax.random.permutation(key, size)).astype(np.int32)
        drawn.flags.writeable = False  # all callers share this array
        return drawn

    return draw


def indices(
    seed: int, size: int, steps: range, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1), order: int = 0
) -> Int32[np.ndarray, "n slices B"]:
    """Computes the indices of the examples of each slice of each step.

    Every `size` examples of the run, counted by `positions`, are one epoch with its own permutation. Unpaired data sets
    have each an `order` of its own.

    Raises:
        BadInput: see `check`.
    """
    check(size, slices, batch_size, shard)
    epoch, offset = np.divmod(positions(steps, slices, batch_size, shard), size)
    out = np.empty(offset.shape, np.int32)
    for e in np.unique(epoch):
        mask = epoch == e
        out[mask] = permutation(seed, size, int(e), order)[offset[mask]]
    return out


def positions(
    steps: range, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1)
) -> Int64[np.ndarray, "n slices B"]:
    """Counts examples over the whole run: example `b` of slice `t` of step `s` is number `(s * slices + t) * B + b`.

    Shard `(i, n)` is process `i`'s part of the batch: the `n` shards, concatenated along the last axis, are the batch.
    """
    i, n = shard
    mine = np.arange(batch_size // n) + i * (batch_size // n)
    part = np.asarray(steps, np.int64)[:, None] * slices + np.arange(slices)
    return part[..., None] * batch_size + mine


def check(size: int, slices: int, batch_size: int, shard: tuple[int, int]) -> None:
    """Raises `BadInput` for an empty data set, a batch size or number of slices below 1, or an impossible shard."""
    i, n = shard
    if size < 1:
        raise BadInput("the data set is empty: there is nothing to train on")
    if slices < 1 or batch_size < 1:
        raise BadInput(f"slices and batch size must be at least 1, not {slices} and {batch_size}")
    if not 0 <= i < n:
        raise BadInput(f"shard {i} of {n} does not exist: shards are numbered from 0")
    if batch_size % n:
        raise BadInput(f"a batch of {batch_size} cannot be split over {n} processes: make it a multiple of {n}")


def _cpu() -> jax.Device | None:
    """Returns the CPU device, to keep this work off the accelerator; None without one (JAX_PLATFORMS=cuda)."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None

"""Order of the examples: a pure function of (seed, position), so no iterator state is ever saved."""

from collections.abc import Callable
from functools import lru_cache

import jax
import numpy as np
from jaxtyping import Int32

from gan_jax.errors import BadInput


def permutation(seed: int, size: int, epoch: int) -> Int32[np.ndarray, " size"]:
    """Draws the order of the examples in one epoch."""
    return _permutations(seed, size)(epoch)


@lru_cache(maxsize=64)
def _permutations(seed: int, size: int) -> Callable[[int], Int32[np.ndarray, " size"]]:
    """Caches the last two epochs of every seed: a sweep trains many seeds side by side."""

    @lru_cache(maxsize=2)
    def draw(epoch: int) -> Int32[np.ndarray, " size"]:
        with jax.default_device(_cpu()):
            key = jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), epoch)
            order = np.asarray(jax.random.permutation(key, size)).astype(np.int32)
        order.flags.writeable = False  # all callers share this array
        return order

    return draw


def indices(
    seed: int, size: int, steps: range, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1)
) -> Int32[np.ndarray, "n slices B"]:
    """Computes the indices of the examples of each slice of each step.

    Examples are counted over the whole run: example `b` of slice `t` of step `s` is number
    `(s * slices + t) * batch_size + b`, and every `size` examples are one epoch with its own permutation.
    Shard `(i, n)` is process `i`'s slice of the batch: the `n` shards, concatenated along the last axis, are the batch.

    Raises:
        BadInput: see `check`.
    """
    check(size, slices, batch_size, shard)
    i, n = shard
    mine = np.arange(batch_size // n) + i * (batch_size // n)
    part = np.asarray(steps, np.int64)[:, None] * slices + np.arange(slices)
    epoch, offset = np.divmod(part[..., None] * batch_size + mine, size)
    out = np.empty(offset.shape, np.int32)
    for e in np.unique(epoch):
        mask = epoch == e
        out[mask] = permutation(seed, size, int(e))[offset[mask]]
    return out


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

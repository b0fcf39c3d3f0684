"""One protocol, two pipelines: the same batches for the same (seed, step), from memory here, from disk by `tf_data`.

A pipeline is split where the host meets the device. `stream` runs on the host and hands over what a step needs; `load`
runs inside the compiled loop and makes the batch of it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, PyTree, UInt8

from gan_jax.data import shuffle
from gan_jax.data.source import Source, in_chunks
from gan_jax.engine.game import Batch

Inputs = PyTree[Array | np.ndarray]


class Pipeline(NamedTuple):
    """Where batches come from. `load(arrays, inputs of one step)` is the batch of that step."""

    arrays: Inputs
    """What stays on the device for the whole run; `()` where nothing does."""
    stream: Callable[[Iterable[range]], Iterator[Inputs]]
    """For each range of `n` steps, their inputs, with a leading axis `[n]`."""
    load: Callable[[Inputs, Inputs], Batch]
    """Pure. The batch: images `x` `[turn, B, H, W, C]` float32 in [-1, 1], or points `[turn, B, D]` as they are, and,
    with labels, `y` `[turn, B]` int32."""


def device_resident(
    source: Source, seed: int, turns: int, batch_size: int, shard: tuple[int, int] = (0, 1)
) -> Pipeline:
    """The whole data set on the device; a step's input is its indices. For data that fits: MNIST is 47 MB."""
    shuffle.check(source.size, turns, batch_size, shard)

    def stream(ranges: Iterable[range]) -> Iterator[Inputs]:
        for steps in ranges:
            yield shuffle.indices(seed, source.size, steps, turns, batch_size, shard)

    def load(arrays: Inputs, indices: Inputs) -> Batch:
        return to_batch({name: array[indices] for name, array in arrays.items()})

    return Pipeline(jax.device_put(_whole(source)), stream, load)


def to_batch(examples: dict[str, Array]) -> Batch:
    """Scales images, which are bytes, on the device; points, which are floats, and labels pass."""
    x = examples["x"]
    return examples | {"x": scale(x) if x.dtype == jnp.uint8 else x}


def scale(x: UInt8[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """Bytes 0 ... 255 to [-1, 1].

    `x / 127.5 - 1` rounds twice, and a compiler that fuses the two (XLA does) rounds once: other bits in every other
    program. Here the sum is exact and the one product rounds, so that the bits are the same wherever it is compiled.
    """
    return (2 * x.astype(jnp.float32) - 255) * np.float32(1 / 255)


def _whole(source: Source) -> dict[str, np.ndarray]:
    chunks = list(in_chunks(source))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

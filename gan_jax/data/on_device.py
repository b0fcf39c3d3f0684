"""The pipeline type, and the pipeline for data that fits on the device.

`stream` runs on the host and yields the inputs of each step; `load` runs inside the compiled loop and makes the batch
from them. `device_resident` and `tf_data` make the same batches for the same (seed, step).
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
    """An input pipeline: the batch of a step is `load(arrays, inputs of that step)`."""

    arrays: Inputs
    """Arrays that stay on the device for the whole run; `()` if there are none."""
    stream: Callable[[Iterable[range]], Iterator[Inputs]]
    """Yields the inputs of each range of `n` steps, with a leading axis `[n]`."""
    load: Callable[[Inputs, Inputs], Batch]
    """Pure function to a batch: images `x` `[slice, B, H, W, C]` float32 in [-1, 1] or unscaled points `[slice, B, D]`,
    and, for a labeled source, `y` `[slice, B]` int32."""
    step_bytes: int
    """Size of the inputs of one step."""


def device_resident(
    source: Source, seed: int, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1)
) -> Pipeline:
    """Makes the pipeline that keeps the whole data set on the device (MNIST is 47 MB); a step's input is its indices.

    Shard `(i, n)` is process `i`'s part of every batch.
    """
    shuffle.check(source.size, slices, batch_size, shard)

    def stream(ranges: Iterable[range]) -> Iterator[Inputs]:
        for steps in ranges:
            yield shuffle.indices(seed, source.size, steps, slices, batch_size, shard)

    def load(arrays: Inputs, indices: Inputs) -> Batch:
        return to_batch({name: array[indices] for name, array in arrays.items()})

    return Pipeline(jax.device_put(_whole(source)), stream, load, 4 * slices * batch_size // shard[1])


def to_batch(examples: dict[str, Array]) -> Batch:
    """Scales images, which are uint8; float points and labels pass unchanged."""
    x = examples["x"]
    return examples | {"x": scale(x) if x.dtype == jnp.uint8 else x}


def scale(x: UInt8[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """Scales 0 ... 255 to [-1, 1].

    `x / 127.5 - 1` rounds once or twice, depending on whether XLA fuses it, so its bits differ between programs. Here
    the sum is exact and only the product rounds: the bits are the same in every program.
    """
    return (2 * x.astype(jnp.float32) - 255) * np.float32(1 / 255)


def _whole(source: Source) -> dict[str, np.ndarray]:
    chunks = list(in_chunks(source))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

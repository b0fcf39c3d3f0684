"""The pipeline type, and the pipeline for data that fits on the device.

`stream` runs on the host and yields the inputs of each step; `load` runs inside the compiled loop and makes the batch
from them. `device_resident` and `tf_data` make the same batches for the same (seed, step).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, PyTree, UInt32

from gan_jax.data import shuffle
from gan_jax.data.source import Source, decode_parts, in_chunks
from gan_jax.engine.game import Batch
from gan_jax.engine.keys import named_key

Inputs = PyTree[Array | np.ndarray]


class Pipeline(NamedTuple):
    """An input pipeline: the batch of a step is `load(arrays, inputs of that step)`."""

    arrays: Inputs
    """Arrays that stay on the device for the whole run; `()` if there are none."""
    stream: Callable[[Iterable[range]], Iterator[Inputs]]
    """Yields the inputs of each range of `n` steps, with a leading axis `[n]`."""
    load: Callable[[Inputs, Inputs], Batch]
    """Pure function to a batch, with the arrays of `Source.spec`, each `[slice, B, ...]`."""
    step_bytes: int
    """Size of the inputs of one step."""


def device_resident(
    source: Source, seed: int, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1)
) -> Pipeline:
    """Makes the pipeline that keeps the whole data set on the device (MNIST is 47 MB); a step's input is its indices.

    Shard `(i, n)` is process `i`'s part of every batch.
    """
    parts = source.parts or (source,)
    for part in parts:
        shuffle.check(part.size, slices, batch_size, shard)

    def stream(ranges: Iterable[range]) -> Iterator[Inputs]:
        for steps in ranges:
            yield draws(source, seed, steps, slices, batch_size, shard)

    def load(arrays: Inputs, drawn: Inputs) -> Batch:
        examples = [
            {name: array[indices] for name, array in of_part.items()}
            for of_part, indices in zip(arrays, drawn["indices"], strict=True)
        ]
        return to_batch(source, examples, drawn["keys"])

    arrays = jax.device_put(tuple(map(_whole, parts)))
    return Pipeline(arrays, stream, load, 4 * (len(parts) + 2) * slices * batch_size // shard[1])


def draws(
    source: Source, seed: int, steps: range, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1)
) -> dict[str, Any]:
    """Draws the examples of `n` steps: `indices` `[n, slice, B]` of every part, and their `keys` `[n, slice, B, 2]`.

    A key is the seed and the number of the example in the whole run: random parts of decoding differ between epochs.
    """
    parts = source.parts or (source,)
    indices = [
        shuffle.indices(seed, part.size, steps, slices, batch_size, shard, order) for order, part in enumerate(parts)
    ]
    position = shuffle.positions(steps, slices, batch_size, shard).astype(np.uint32)
    return {"indices": tuple(indices), "keys": np.stack([np.full_like(position, seed & 0xFFFFFFFF), position], axis=-1)}


def to_batch(source: Source, examples: Sequence[dict[str, Array]], keys: UInt32[Array, "slice B 2"]) -> Batch:
    """Decodes the examples `[slice, B, ...]` of every part of a source."""
    own = jax.vmap(jax.vmap(lambda words: named_key(jax.random.wrap_key_data(words, impl="threefry2x32"), "decode")))
    if not source.parts:
        return jax.vmap(source.decode)(examples[0], own(keys))
    return jax.vmap(partial(decode_parts, source.parts))(tuple(examples), own(keys))


def _whole(source: Source) -> dict[str, np.ndarray]:
    chunks = list(in_chunks(source))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}

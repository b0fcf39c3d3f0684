"""The pipeline for data larger than memory: tf.data reads and decodes ahead. Imports TensorFlow when it is built."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import ModuleType

import numpy as np

from gan_jax.data import shuffle
from gan_jax.data.on_device import Inputs, Pipeline, draws, to_batch
from gan_jax.data.source import Source
from gan_jax.engine.game import Batch
from gan_jax.errors import BadInput

STEPS_AHEAD = 2
"""Batches that wait for their turn; left to itself, tf.data keeps hundreds where it has the memory."""


def tf_data(source: Source, seed: int, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1)) -> Pipeline:
    """Makes the pipeline that reads the examples of a step in parallel, while earlier steps run.

    Shard `(i, n)` is process `i`'s part of every batch.
    """
    parts = source.parts or (source,)
    for part in parts:
        shuffle.check(part.size, slices, batch_size, shard)
    tf = import_tensorflow()
    examples = [part.read(np.zeros(1, np.int64)) for part in parts]
    names = [(i, name) for i, example in enumerate(examples) for name in example]
    dtypes = [examples[i][name].dtype for i, name in names]

    def stream(ranges: Iterable[range]) -> Iterator[Inputs]:
        failures: list[Exception] = []

        def read(*indices: np.ndarray) -> list[np.ndarray]:
            try:
                found = [part.read(each.ravel()) for part, each in zip(parts, indices, strict=True)]
            except Exception as error:  # TensorFlow would keep the text only
                failures.append(error)
                raise
            return [found[i][name].reshape(*indices[i].shape, *found[i][name].shape[1:]) for i, name in names]

        def each_step() -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray, bool]]:
            for steps in ranges:
                drawn = draws(source, seed, steps, slices, batch_size, shard)
                for n in range(len(steps)):
                    yield tuple(each[n] for each in drawn["indices"]), drawn["keys"][n], n == len(steps) - 1

        indices = tf.TensorSpec((slices, None), tf.int32)
        signature = (len(parts) * (indices,), tf.TensorSpec((slices, None, 2), tf.uint32), tf.TensorSpec((), tf.bool))
        steps_read = (
            tf.data.Dataset.from_generator(each_step, output_signature=signature)
            .map(
                lambda indices, keys, last: (tuple(tf.numpy_function(read, indices, dtypes)), keys, last),
                tf.data.AUTOTUNE,
                deterministic=True,
            )
            .prefetch(STEPS_AHEAD)
        )
        steps_of_range = []
        try:
            for arrays, keys, last in steps_read.as_numpy_iterator():
                steps_of_range.append([*arrays, keys])
                if last:
                    *arrays, keys = (np.stack(each) for each in zip(*steps_of_range, strict=True))
                    yield {"examples": _by_part(names, arrays), "keys": keys}
                    steps_of_range = []
        except tf.errors.OpError:
            if failures:
                raise failures[0] from None
            raise

    def load(arrays: Inputs, inputs: Inputs) -> Batch:
        return to_batch(source, inputs["examples"], inputs["keys"])

    example_bytes = sum(array.nbytes for example in examples for array in example.values())
    return Pipeline((), stream, load, example_bytes * slices * batch_size // shard[1])


def _by_part(names: Sequence[tuple[int, str]], arrays: Sequence[np.ndarray]) -> tuple[dict[str, np.ndarray], ...]:
    """Collects arrays, each named by its part and its name, into a dictionary for every part."""
    parts: dict[int, dict[str, np.ndarray]] = {}
    for (i, name), array in zip(names, arrays, strict=True):
        parts.setdefault(i, {})[name] = array
    return tuple(parts.values())


def import_tensorflow() -> ModuleType:
    """Imports TensorFlow with little logging, and hides the accelerators from it: they are JAX's."""
    quieten()
    try:
        import tensorflow as tf
    except ImportError as error:
        raise BadInput(f"TensorFlow cannot be imported ({error}): install it, or use cached data") from error
    for kind in ("GPU", "TPU"):
        with suppress(RuntimeError):  # TensorFlow is already initialized
            tf.config.set_visible_devices([], kind)
    return tf


def quieten() -> None:
    """Sets the environment variables that silence TensorFlow; call it before the first import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN logs a line, and speeds up networks only

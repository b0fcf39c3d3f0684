"""The pipeline for data larger than memory: tf.data reads and decodes ahead. Imports TensorFlow when it is built."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import ModuleType

import numpy as np

from gan_jax.data import shuffle
from gan_jax.data.on_device import Inputs, Pipeline, to_batch
from gan_jax.data.source import Source
from gan_jax.engine.game import Batch
from gan_jax.errors import BadInput

STEPS_AHEAD = 2
"""Batches that wait for their turn; left to itself, tf.data keeps hundreds where it has the memory."""


def tf_data(source: Source, seed: int, slices: int, batch_size: int, shard: tuple[int, int] = (0, 1)) -> Pipeline:
    """Makes the pipeline that reads the examples of a step in parallel, while earlier steps run.

    Shard `(i, n)` is process `i`'s part of every batch.
    """
    shuffle.check(source.size, slices, batch_size, shard)
    tf = import_tensorflow()
    example = source.read(np.zeros(1, np.int64))
    names, dtypes = list(example), [array.dtype for array in example.values()]

    def stream(ranges: Iterable[range]) -> Iterator[Inputs]:
        failures: list[Exception] = []

        def read(indices: np.ndarray) -> list[np.ndarray]:
            try:
                examples = source.read(indices.ravel())
            except Exception as error:  # TensorFlow would keep the text only
                failures.append(error)
                raise
            return [examples[name].reshape(*indices.shape, *examples[name].shape[1:]) for name in names]

        def step_indices() -> Iterator[tuple[np.ndarray, bool]]:
            for steps in ranges:
                left = len(steps)
                for step in shuffle.indices(seed, source.size, steps, slices, batch_size, shard):
                    left -= 1
                    yield step, left == 0

        signature = (tf.TensorSpec((slices, None), tf.int32), tf.TensorSpec((), tf.bool))
        steps_read = (
            tf.data.Dataset.from_generator(step_indices, output_signature=signature)
            .map(lambda i, last: (*tf.numpy_function(read, [i], dtypes), last), tf.data.AUTOTUNE, deterministic=True)
            .prefetch(STEPS_AHEAD)
        )
        inputs = []
        try:
            for *arrays, last in steps_read.as_numpy_iterator():
                inputs.append(arrays)
                if last:
                    yield {name: np.stack(each) for name, each in zip(names, zip(*inputs, strict=True), strict=True)}
                    inputs = []
        except tf.errors.OpError:
            if failures:
                raise failures[0] from None
            raise

    def load(arrays: Inputs, examples: Inputs) -> Batch:
        return to_batch(examples)

    example_bytes = sum(array.nbytes for array in example.values())
    return Pipeline((), stream, load, example_bytes * slices * batch_size // shard[1])


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

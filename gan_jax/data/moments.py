"""Means and deviations of a data set, for networks whose inputs are normalized by them."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from gan_jax.data.source import Source, read_batch

CHUNK = 64
"""Examples that are read at a time."""


class Moments(NamedTuple):
    """Mean and standard deviation of every channel."""

    mean: Float32[Array, " C"]
    deviation: Float32[Array, " C"]


def moments(source: Source, transform: Callable[[Array], Float[Array, "B *space C"]], examples: int = 4096) -> Moments:
    """Computes the moments of the channels of `transform(x)`, over all positions of so many examples, evenly spaced.

    Every example is read once at most, and what is random in it depends on its index: the moments are the same in every
    run. May be called while a program is traced.
    """
    indices = np.linspace(0, source.size - 1, min(source.size, examples)).astype(int)
    sums, squares, count = 0.0, 0.0, 0
    with jax.ensure_compile_time_eval():
        transform = jax.jit(transform)
        for start in range(0, len(indices), CHUNK):
            rows = indices[start : start + CHUNK]
            x = transform(read_batch(source, np.resize(rows, CHUNK))["x"])  # one shape, one program
            x = np.asarray(x[: len(rows)], np.float64).reshape(-1, x.shape[-1])
            sums, squares, count = sums + x.sum(0), squares + np.square(x).sum(0), count + len(x)
        mean = sums / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
        return Moments(jnp.asarray(mean, jnp.float32), jnp.asarray(deviation, jnp.float32))

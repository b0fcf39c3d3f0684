"""Pairwise distances in blocks: all 50,000 x 50,000 distances would take 20 GB.

Squared distances are computed as |a|^2 + |b|^2 - 2 a.b in float64, after subtracting a common mean. Rounding makes
distances of equal examples nonzero, and the same distance in two blocks unequal; `slack` turns the results into lower
or upper bounds of the true distances instead.
"""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Features, OtherFeatures, features

BLOCK = 2**25
"""Bytes of one block, 2,048 x 2,048 in float64: large enough for fast products, small enough to hold several."""

SLACK = 1e-12
"""Change of a squared distance, relative to |a|^2 + |b|^2: exceeds the rounding error in up to 8,000 dimensions, and in
practice in many more. Examples closer than a millionth of their norm count as copies."""


def same_width(
    a: Features, b: OtherFeatures, names: tuple[str, str], least: tuple[int, int]
) -> tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "M D"]]:
    """Converts both sets to float64.

    Raises:
        BadInput: as `arrays.features`, or `a` and `b` differ in width.
    """
    first, second = (features(*each) for each in zip((a, b), names, least, strict=True))
    if first.shape[1] != second.shape[1]:
        raise BadInput(
            f"{names[1]}: {second.shape[1]} features, {names[0]} have {first.shape[1]}: take both from one network"
        )
    return first, second


def blocks(n: int, m: int | None = None) -> Iterator[tuple[slice, slice]]:
    """Yields rows and columns of the blocks of `[N, M]`; without `m`, those of `[N, N]` on and above the diagonal."""
    side = max(1, math.isqrt(BLOCK // 8))
    width = n if m is None else m
    for i in range(0, n, side):
        for j in range(i if m is None else 0, width, side):
            yield slice(i, min(i + side, n)), slice(j, min(j + side, width))


def squared_distances(
    a: Float[np.ndarray, "N D"], b: Float[np.ndarray, "M D"] | None = None, slack: float = -SLACK
) -> Iterator[tuple[slice, slice, Float[np.ndarray, "R C"]]]:
    """Yields rows, columns and |a_i - b_j|^2 of every block.

    Args:
        a: `[N, D]`.
        b: `[M, D]`; None for the pairs i < j of `a`, each once, with infinity elsewhere in the blocks.
        slack: -SLACK gives lower bounds, exactly 0 between copies; SLACK gives upper bounds.
    """
    points = a if b is None else b
    mean = points.mean(axis=0)
    for rows, columns in blocks(len(a), None if b is None else len(b)):
        x, y = a[rows] - mean, points[columns] - mean
        squared = x @ y.T
        squared *= -2
        squared += (1 + slack) * np.sum(x**2, axis=1)[:, None]
        squared += (1 + slack) * np.sum(y**2, axis=1)
        np.maximum(squared, 0, out=squared)
        if b is None and rows == columns:
            squared[np.tri(len(squared), dtype=bool)] = np.inf
        yield rows, columns, squared


def nearest(
    queries: Float[np.ndarray, "N D"], points: Float[np.ndarray, "M D"] | None, k: int, slack: float = -SLACK
) -> tuple[Float[np.ndarray, "N {k}"], Int[np.ndarray, "N {k}"]]:
    """Finds the `k` nearest points of every query: squared distances, nearest first, and indices; ties in any order.

    Args:
        queries: `[N, D]`.
        points: `[M, D]`, M at least `k`; None for the other queries.
        k: the number of neighbors.
        slack: as in `squared_distances`.
    """
    best = np.full((len(queries), k), np.inf), np.zeros((len(queries), k), np.int64)
    for rows, columns, squared in squared_distances(queries, points, slack):
        _keep_nearest(best, rows, columns, squared)
        if points is None:
            _keep_nearest(best, columns, rows, squared.T)
    return best


def _keep_nearest(
    best: tuple[Float[np.ndarray, "N K"], Int[np.ndarray, "N K"]],
    rows: slice,
    columns: slice,
    squared: Float[np.ndarray, "R C"],
) -> None:
    """Merges a block into the `k` nearest neighbors of its rows, in place."""
    values, indices = best
    k = values.shape[1]
    near = np.argpartition(squared, min(k, squared.shape[1]) - 1, axis=1)[:, :k]
    all_values = np.concatenate([values[rows], np.take_along_axis(squared, near, axis=1)], axis=1)
    all_indices = np.concatenate([indices[rows], near + columns.start], axis=1)
    order = np.argsort(all_values, axis=1, kind="stable")[:, :k]
    values[rows] = np.take_along_axis(all_values, order, axis=1)
    indices[rows] = np.take_along_axis(all_indices, order, axis=1)

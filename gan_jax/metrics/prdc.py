"""Fidelity and diversity as separate scores: precision, recall, density and coverage.

The manifold of a set is the union of balls around its examples, each with the distance to the k-th nearest neighbor in
the set as radius. Balls are closed, and bounds on the rounding error keep examples on a border inside.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Features, OtherFeatures
from gan_jax.metrics.pairwise import SLACK, nearest, same_width, squared_distances


class PrecisionRecall(NamedTuple):
    """Precision and recall, each between 0 and 1."""

    precision: float
    """The share of fake examples in the real manifold."""
    recall: float
    """The share of real examples in the fake manifold."""


class DensityCoverage(NamedTuple):
    """Density and coverage. Both use the balls of real examples only, so fake outliers do not enlarge the manifold."""

    density: float
    """The mean number of real balls that contain a fake example, divided by k; may exceed 1."""
    coverage: float
    """The share of real examples whose ball contains a fake example."""


class PRDC(NamedTuple):
    """Precision, recall, density and coverage with the same k."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real: Features, fake: OtherFeatures, k: int = 3) -> PrecisionRecall:
    """Computes improved precision and recall.

    Both depend on the numbers of examples: compare only at equal numbers.

    Args:
        real: `[N, D]`.
        fake: `[M, D]`.
        k: the neighbor whose distance is the radius of a ball.

    Raises:
        BadInput: a set has fewer than k + 1 examples, or the sets differ in D.

    Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models", eq. 1,
    https://arxiv.org/abs/1904.06991.
    """
    every = prdc(real, fake, k)
    return PrecisionRecall(every.precision, every.recall)


def density_coverage(real: Features, fake: OtherFeatures, k: int = 5) -> DensityCoverage:
    """Computes density and coverage.

    For two draws from one distribution the expected density is 1, and the expected coverage
    1 - C(N-1, k) / C(N+M-1, k), about 1 - 2^-k for N = M.

    Args:
        real: `[N, D]`.
        fake: `[M, D]`.
        k: the neighbor whose distance is the radius of a ball.

    Raises:
        BadInput: there are fewer than k + 1 real examples or no fake ones, or the sets differ in D.

    Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models", https://arxiv.org/abs/2002.09797.
    """
    _check(k)
    x, x_fake = same_width(real, fake, ("real", "fake"), (k + 1, 1))
    hits = _hits(x, x_fake, _balls(x, k), None)
    return DensityCoverage(*_density_coverage(hits, k))


def prdc(real: Features, fake: OtherFeatures, k: int = 5) -> PRDC:
    """Computes `precision_recall` and `density_coverage` with the same k in one pass over all pairs.

    Raises:
        BadInput: a set has fewer than k + 1 examples, or the sets differ in D.
    """
    _check(k)
    x, x_fake = same_width(real, fake, ("real", "fake"), (k + 1, k + 1))
    hits = _hits(x, x_fake, _balls(x, k), _balls(x_fake, k))
    return PRDC(float(np.mean(hits.around_fake > 0)), float(np.mean(hits.in_fake)), *_density_coverage(hits, k))


class _Hits(NamedTuple):
    around_fake: Int[np.ndarray, " M"]
    """The number of real balls that contain each fake example."""
    covered: Bool[np.ndarray, " N"]
    """Whether the ball of each real example contains a fake one."""
    in_fake: Bool[np.ndarray, " N"]
    """Whether each real example is in a fake ball."""


def _hits(
    real: Float[np.ndarray, "N D"],
    fake: Float[np.ndarray, "M D"],
    real_balls: Float[np.ndarray, " N"],
    fake_balls: Float[np.ndarray, " M"] | None,
) -> _Hits:
    hits = _Hits(np.zeros(len(fake), np.int64), np.zeros(len(real), bool), np.zeros(len(real), bool))
    for rows, columns, squared in squared_distances(real, fake):
        inside = squared <= real_balls[rows, None]
        hits.around_fake[columns] += np.count_nonzero(inside, axis=0)
        hits.covered[rows] |= inside.any(axis=1)
        if fake_balls is not None:
            hits.in_fake[rows] |= (squared <= fake_balls[columns]).any(axis=1)
    return hits


def _density_coverage(hits: _Hits, k: int) -> tuple[float, float]:
    return float(np.mean(hits.around_fake) / k), float(np.mean(hits.covered))


def _balls(x: Float[np.ndarray, "N D"], k: int) -> Float[np.ndarray, " N"]:
    """Computes squared radii as upper bounds; distances are lower bounds, so examples on a border are inside."""
    return nearest(x, None, k, SLACK)[0][:, -1]


def _check(k: int) -> None:
    if k < 1:
        raise BadInput(f"k must be at least 1, not {k}: give the number of a neighbor")

"""Fidelity and diversity as separate scores: precision, recall, density and coverage.

Each set stands for a manifold: a ball around every example, as large as the distance to its k-th nearest neighbor in
its own set. A ball includes its border, and rounding never puts an example outside that lies on it, so that a set lies
in its own manifold even where examples are repeated.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Features, OtherFeatures
from gan_jax.metrics.pairwise import SLACK, nearest, same_width, squared_distances


class PrecisionRecall(NamedTuple):
    """Shares between 0 and 1."""

    precision: float
    """Of fake examples that lie in a ball of a real one."""
    recall: float
    """Of real examples that lie in a ball of a fake one."""


class DensityCoverage(NamedTuple):
    """Both look at the balls of real examples alone, which fake outliers cannot stretch."""

    density: float
    """In how many balls of real examples a fake one lies, on average, divided by k. May exceed 1."""
    coverage: float
    """The share of real examples whose ball holds a fake one."""


class PRDC(NamedTuple):
    """`PrecisionRecall` and `DensityCoverage` with the same k."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real: Features, fake: OtherFeatures, k: int = 3) -> PrecisionRecall:
    """Computes improved precision and recall.

    Both depend on the numbers of examples: compare only what was measured with the same.

    Args:
        real: `[N, D]`.
        fake: `[M, D]`.
        k: which neighbor a ball reaches to.

    Raises:
        BadInput: fewer than k + 1 examples in either, or different widths.

    Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models", eq. 1,
    https://arxiv.org/abs/1904.06991.
    """
    every = prdc(real, fake, k)
    return PrecisionRecall(every.precision, every.recall)


def density_coverage(real: Features, fake: OtherFeatures, k: int = 5) -> DensityCoverage:
    """Computes density and coverage.

    For two draws from one distribution the expected density is 1. The expected coverage is 1 - C(N-1, k) / C(N+M-1, k),
    about 1 - 2^-k for as many fake as real.

    Args:
        real: `[N, D]`.
        fake: `[M, D]`.
        k: which neighbor a ball reaches to.

    Raises:
        BadInput: fewer than k + 1 real examples, no fake ones, or different widths.

    Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models", https://arxiv.org/abs/2002.09797.
    """
    _check(k)
    x, x_fake = same_width(real, fake, ("real", "fake"), (k + 1, 1))
    hits = _hits(x, x_fake, _balls(x, k), None)
    return DensityCoverage(*_density_coverage(hits, k))


def prdc(real: Features, fake: OtherFeatures, k: int = 5) -> PRDC:
    """`precision_recall` and `density_coverage`, both with this k, from one pass over all pairs.

    Raises:
        BadInput: fewer than k + 1 examples in either, or different widths.
    """
    _check(k)
    x, x_fake = same_width(real, fake, ("real", "fake"), (k + 1, k + 1))
    hits = _hits(x, x_fake, _balls(x, k), _balls(x_fake, k))
    return PRDC(float(np.mean(hits.around_fake > 0)), float(np.mean(hits.in_fake)), *_density_coverage(hits, k))


class _Hits(NamedTuple):
    around_fake: Int[np.ndarray, " M"]
    """How many balls of real examples hold each fake one."""
    covered: Bool[np.ndarray, " N"]
    """Whether the ball of each real example holds a fake one."""
    in_fake: Bool[np.ndarray, " N"]
    """Whether a ball of a fake example holds each real one."""


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
    """Squared radii, from above, as `squared_distances` are from below: what lies on the border is inside."""
    return nearest(x, None, k, SLACK)[0][:, -1]


def _check(k: int) -> None:
    if k < 1:
        raise BadInput(f"k = {k}: a ball reaches to a neighbor: give 1 or more")

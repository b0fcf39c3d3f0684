"""Detects memorized training examples and duplicate samples by distances of pixels or features."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gan_jax.metrics.arrays import Features, OtherFeatures
from gan_jax.metrics.pairwise import SLACK, nearest, same_width, squared_distances


class Duplicates(NamedTuple):
    """Duplicates among n samples."""

    pairs: int
    """The number of duplicate pairs, out of n (n - 1) / 2."""
    share: float
    """The share of samples that are in at least one duplicate pair."""
    support: float
    """The estimated support size, n (n - 1) / (2 pairs); infinite without pairs."""


def neighbors(
    samples: Features, training: OtherFeatures, k: int = 1
) -> tuple[Float[np.ndarray, "N {k}"], Int[np.ndarray, "N {k}"]]:
    """Finds the `k` nearest training examples of every sample: distances, nearest first, and indices.

    An exact copy has distance 0.

    Args:
        samples: `[N, D]`.
        training: `[M, D]`.
        k: the number of neighbors.

    Raises:
        BadInput: there are no samples, fewer than `k` training examples, or the sets differ in D.
    """
    x, x_training = same_width(samples, training, ("samples", "training"), (1, k))
    squared, indices = nearest(x, x_training, k)
    return np.sqrt(squared), indices


def memorized_share(samples: Features, training: OtherFeatures, ratio: float = 1 / 3) -> float:
    """Computes the share of samples whose nearest training example is closer than `ratio` times the second nearest.

    Copies of a duplicated training example are not detected, since both duplicates are equally near. Remove duplicates
    first.

    Args:
        samples: `[N, D]`.
        training: `[M, D]`.
        ratio: the ratio of Euclidean distances, not of their squares.

    Raises:
        BadInput: there are no samples, fewer than 2 training examples, or the sets differ in D.

    Yoon et al. 2023, "Diffusion probabilistic models generalize when they fail to memorize"; Gu et al. 2023, "On
    memorization in diffusion models", https://arxiv.org/abs/2310.02664. Both use 1/3 on pixels.
    """
    distances, _ = neighbors(samples, training, 2)
    return float(np.mean(distances[:, 0] < ratio * distances[:, 1]))


def duplicates(samples: Features, real: OtherFeatures) -> Duplicates:
    """Counts pairs of samples closer than the closest pair of N real examples, and estimates the support size.

    By the birthday paradox, n draws from about n^2 equally likely examples contain a duplicate half of the time. The
    number of pairs then estimates the support size; if some examples are more likely, `support` is too small.

    The paper inspects the closest pairs by eye; here the threshold decides. Fresh real examples have one such pair on
    average, so a few pairs mean nothing. Duplicates among the real examples make the threshold 0: remove them first.

    Args:
        samples: `[N, D]`.
        real: `[M, D]`, M at least N; the first N are used.

    Raises:
        BadInput: there are fewer than 2 samples, fewer real examples than samples, or the sets differ in D.

    Arora and Zhang 2018, "Do GANs learn the distribution? Some theory and empirics",
    https://arxiv.org/abs/1706.08224.
    """
    x, x_real = same_width(samples, real, ("samples", "real"), (2, len(samples)))
    n = len(x)
    # Upper bounds for samples, lower bounds for real ones: rounding never makes a duplicate.
    closest = min(float(squared.min()) for _, _, squared in squared_distances(x_real[:n]))
    pairs, has_one = 0, np.zeros(n, bool)
    for rows, columns, squared in squared_distances(x, slack=SLACK):
        close = squared < closest
        pairs += int(np.count_nonzero(close))
        has_one[rows] |= close.any(axis=1)
        has_one[columns] |= close.any(axis=0)
    return Duplicates(pairs, float(np.mean(has_one)), n * (n - 1) / (2 * pairs) if pairs else math.inf)

"""Memorized training examples and duplicate samples, by distances of pixels or features."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gan_jax.metrics.arrays import Features, OtherFeatures
from gan_jax.metrics.pairwise import SLACK, nearest, same_width, squared_distances


class Duplicates(NamedTuple):
    """Duplicates among n samples."""

    pairs: int
    """Of all n (n - 1) / 2 pairs."""
    share: float
    """Of samples that are in at least one of these pairs."""
    support: float
    """n (n - 1) / (2 pairs): of so many equally likely examples that many pairs are expected. inf without a pair."""


def neighbors(
    samples: Features, training: OtherFeatures, k: int = 1
) -> tuple[Float[np.ndarray, "N {k}"], Int[np.ndarray, "N {k}"]]:
    """Finds the distances to the `k` nearest training examples, nearest first, and their indices.

    A copy is at distance 0.

    Args:
        samples: `[N, D]`.
        training: `[M, D]`.
        k: how many.

    Raises:
        BadInput: no samples, fewer than `k` training examples, or different widths.
    """
    x, x_training = same_width(samples, training, ("samples", "training"), (1, k))
    squared, indices = nearest(x, x_training, k)
    return np.sqrt(squared), indices


def memorized_share(samples: Features, training: OtherFeatures, ratio: float = 1 / 3) -> float:
    """Computes the share of samples whose nearest training example is closer than `ratio` times their second nearest.

    Training examples that are there twice hide their copies: both are equally near. Remove them first.

    Args:
        samples: `[N, D]`.
        training: `[M, D]`.
        ratio: of Euclidean distances, not of their squares.

    Raises:
        BadInput: no samples, fewer than 2 training examples, or different widths.

    Yoon et al. 2023, "Diffusion probabilistic models generalize when they fail to memorize"; Gu et al. 2023, "On
    memorization in diffusion models". Both take 1/3, on pixels.
    """
    distances, _ = neighbors(samples, training, 2)
    return float(np.mean(distances[:, 0] < ratio * distances[:, 1]))


def duplicates(samples: Features, real: OtherFeatures) -> Duplicates:
    """Pairs of samples that are closer than every pair among as many real examples, and the support that they suggest.

    The birthday paradox: n draws from about n^2 equally likely examples hold a duplicate as often as not. Here the
    count of pairs tells how many there are. Where some are likelier than others, `support` is too small.

    The paper's authors inspect the closest pairs by eye; here a threshold decides. Another draw of real examples
    has one such pair on average, so that a few mean nothing. Real
    examples that are there twice hide everything.

    Args:
        samples: `[N, D]`.
        real: `[M, D]`, at least as many; the first N are used.

    Raises:
        BadInput: fewer than 2 samples, fewer real examples than samples, or different widths.

    Arora and Zhang 2018, "Do GANs learn the distribution? Some theory and empirics",
    https://arxiv.org/abs/1706.08224.
    """
    x, x_real = same_width(samples, real, ("samples", "real"), (2, len(samples)))
    n = len(x)
    # Samples from above, real ones from below: rounding makes no duplicates.
    closest = min(float(squared.min()) for _, _, squared in squared_distances(x_real[:n]))
    pairs, has_one = 0, np.zeros(n, bool)
    for rows, columns, squared in squared_distances(x, slack=SLACK):
        close = squared < closest
        pairs += int(np.count_nonzero(close))
        has_one[rows] |= close.any(axis=1)
        has_one[columns] |= close.any(axis=0)
    return Duplicates(pairs, float(np.mean(has_one)), n * (n - 1) / (2 * pairs) if pairs else math.inf)

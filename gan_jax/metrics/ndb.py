"""The number of statistically different bins (NDB): bins in which samples are too frequent or too rare.

The bins are the clusters of real samples by k-means, on pixels, as in the paper, or on features of a network. The
shares of real and of generated samples are compared bin by bin.

Richardson and Weiss 2018, "On GANs and GMMs", https://arxiv.org/abs/1805.12462.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Features, features

ROUNDS = 100
"""Maximum iterations of k-means. The bins need not be optimal, only equal for all compared samples."""


class Bins(NamedTuple):
    """The centers of k-means, and the share of real samples in each bin."""

    centers: Float[np.ndarray, "K D"]
    shares: Float[np.ndarray, " K"]
    count: int
    """The number of real samples."""


class DifferentBins(NamedTuple):
    """The difference of two histograms over the same bins."""

    ndb: int
    """The number of statistically different bins."""
    share: float
    """`ndb` divided by the number of bins; for equal distributions about the significance."""
    divergence: float
    """Jensen-Shannon divergence of the shares, in nats: 0 for equal shares, log 2 for disjoint ones."""


def fit_bins(real: Features, k: int = 100, seed: int = 0) -> Bins:
    """Fits `k` bins to real samples `[N, D]` by k-means, initialized by k-means++.

    Raises:
        BadInput: there are fewer than `k` different samples, or `k` is below 2.

    Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding".
    """
    if k < 2:
        raise BadInput(f"k = {k} bins are too few: use at least 2")
    x = features(real, "real", k)
    different = len({row.tobytes() for row in x})
    if different < k:
        raise BadInput(f"real: {different} distinct samples are too few for {k} bins: use fewer bins")
    from sklearn.cluster import KMeans  # here, because the import takes about a second
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "openmp"):  # the order of summation of several threads varies
        centers = KMeans(k, n_init=1, max_iter=ROUNDS, tol=0, random_state=seed).fit(x).cluster_centers_
    return Bins(centers, _shares(x, centers), len(x))


def different_bins(bins: Bins, fake: Features, significance: float = 0.05) -> DifferentBins:
    """Counts bins whose shares of `fake` `[N, D]` and of real samples differ by a pooled two-proportion z-test.

    More samples detect smaller differences: compare only at equal numbers. Held-out real samples give the score of a
    perfect generator, slightly above `significance` because the bins are fitted to the real samples.

    Raises:
        BadInput: `fake` and the bins differ in D, or `significance` is not between 0 and 1.
    """
    if not 0 < significance < 1:
        raise BadInput(f"significance must be between 0 and 1, not {significance}: 0.05, for example")
    x = features(fake, "fake")
    if x.shape[1] != bins.centers.shape[1]:
        raise BadInput(f"fake: {x.shape[1]} features, the bins have {bins.centers.shape[1]}: use the same network")
    p, q, n, m = bins.shares, _shares(x, bins.centers), bins.count, len(x)
    pooled = (n * p + m * q) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    ndb = int(np.sum(np.abs(p - q) > NormalDist().inv_cdf(1 - significance / 2) * error))
    middle = (p + q) / 2
    return DifferentBins(ndb, ndb / len(p), (_kl(p, middle) + _kl(q, middle)) / 2)


def _shares(x: Float[np.ndarray, "N D"], centers: Float[np.ndarray, "K D"]) -> Float[np.ndarray, " K"]:
    from sklearn.metrics import pairwise_distances_argmin

    return np.bincount(pairwise_distances_argmin(x, centers), minlength=len(centers)) / len(x)


def _kl(p: Float[np.ndarray, " K"], q: Float[np.ndarray, " K"]) -> float:
    hit = p > 0
    return float(np.sum(p[hit] * np.log(p[hit] / q[hit])))

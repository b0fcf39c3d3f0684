"""The number of statistically different bins (NDB): regions where samples are too frequent or too rare.

Real samples are cut into bins by k-means, and the shares of real and of generated samples in every bin are compared.
What is clustered may be pixels, as in the paper, or features of a network.

Richardson and Weiss 2018, "On GANs and GMMs", https://arxiv.org/abs/1805.12462.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Features, features

ROUNDS = 100
"""Of k-means, at most: the bins need not be the best ones, only the same for all that is compared."""


class Bins(NamedTuple):
    """The cells of k-means, and how often real samples fall into each."""

    centers: Float[np.ndarray, "K D"]
    shares: Float[np.ndarray, " K"]
    count: int
    """How many real samples there were."""


class DifferentBins(NamedTuple):
    """How unlike two histograms over the same bins are."""

    ndb: int
    """The number of statistically different bins."""
    share: float
    """`ndb` over the number of bins: about the significance for equal distributions."""
    divergence: float
    """Jensen-Shannon divergence of the shares, in nats: 0 for equal shares, log 2 where no bin holds both."""


def fit_bins(real: Features, k: int = 100, seed: int = 0) -> Bins:
    """Fits `k` bins to real samples `[N, D]` by k-means, initialized by k-means++.

    Raises:
        BadInput: there are fewer than `k` different samples, or `k` is below 2.

    Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding".
    """
    if k < 2:
        raise BadInput(f"{k} bins cannot differ: use at least 2")
    x = features(real, "real", k)
    different = len({row.tobytes() for row in x})
    if different < k:
        raise BadInput(f"real: {different} different samples cannot fill {k} bins: use fewer bins")
    from sklearn.cluster import KMeans  # here, because the import takes about a second
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "openmp"):  # several threads add in no fixed order
        centers = KMeans(k, n_init=1, max_iter=ROUNDS, tol=0, random_state=seed).fit(x).cluster_centers_
    return Bins(centers, _shares(x, centers), len(x))


def different_bins(bins: Bins, fake: Features, significance: float = 0.05) -> DifferentBins:
    """Counts bins whose share of `fake` `[N, D]` is not the real one in a two-proportion z-test of pooled variance.

    The more samples there are, the smaller differences are found: compare only at equal numbers. Score held-out real
    samples too: that is what a perfect generator would get, a little above `significance` because the bins were
    fitted to the real samples that they are compared with.

    Raises:
        BadInput: `fake` has another D than the bins, or `significance` is not between 0 and 1.
    """
    if not 0 < significance < 1:
        raise BadInput(f"a significance of {significance} is none: use one between 0 and 1")
    x = features(fake, "fake")
    if x.shape[1] != bins.centers.shape[1]:
        raise BadInput(f"fake: {x.shape[1]} features, and the bins have {bins.centers.shape[1]}: use the same network")
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

"""The squared Fréchet distance between Gaussians fitted to two sets of features; the FID on Inception features.

The estimate is biased upwards, more so for fewer samples: compare only at equal numbers of samples, real and generated.

Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", eq. 6,
https://arxiv.org/abs/1706.08500.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Features, OtherFeatures, features
from gan_jax.metrics.classes import Labels, OtherLabels, as_labels

ROWS = 4096
"""Rows centered at a time: bounds the memory."""


class Moments(NamedTuple):
    """Mean and covariance of a set of features."""

    mean: Float[np.ndarray, " D"]
    covariance: Float[np.ndarray, "D D"]
    """The unbiased estimate, with divisor `count - 1`."""
    count: int


class IntraFrechet(NamedTuple):
    """The Fréchet distance within each class, and the mean over classes."""

    mean: float
    classes: dict[int, float]
    rank: int
    """The smallest rank of the covariances: below D, a class has too few samples, and the distance is biased."""


def moments(x: Features, name: str = "features", singular: bool = False) -> Moments:
    """Computes mean and covariance of features `[N, D]`; error messages call them `name`.

    Raises:
        BadInput: N is at most D, unless `singular` allows it, or below 2. The covariance is then singular, and its rank
            N - 1 dominates the distance.
    """
    x = features(x, name, least=0)
    n, d = x.shape
    least = 2 if singular else d + 1
    if n < least:
        raise BadInput(f"{name}: {n} samples are too few for {d} features, at least {least} are needed: draw more")
    mean = x.mean(axis=0)
    covariance = np.zeros((d, d))
    for start in range(0, n, ROWS):
        centered = x[start : start + ROWS] - mean
        covariance += centered.T @ centered
    return Moments(mean, covariance / (n - 1), n)


def frechet_distance(a: Features, b: OtherFeatures) -> float:
    """Computes the squared Fréchet distance between two sets of features, `[N, D]` and `[M, D]`.

    Raises:
        BadInput: a set has no more samples than features, or the sets differ in D.
    """
    return frechet_distance_of(moments(a, "first set"), moments(b, "second set"))


def frechet_distance_of(a: Moments, b: Moments) -> float:
    """Computes |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), never negative; 0 for equal moments.

    The trace of (S1 S2)^(1/2) is the sum of the square roots of the eigenvalues of S1 S2. They are computed as the
    eigenvalues of A' S2 A with A A' = S1, which is symmetric and positive semidefinite, so they are real.

    Raises:
        BadInput: the moments have different dimensions.

    Dowson and Landau 1982, "The Fréchet distance between multivariate normal distributions".
    """
    if len(a.mean) != len(b.mean):
        raise BadInput(f"sets of {len(a.mean)} and {len(b.mean)} features: use the same feature network for both")
    values, vectors = np.linalg.eigh(a.covariance)
    factor = vectors * _roots(values)
    root = _roots(np.linalg.eigvalsh(factor.T @ b.covariance @ factor)).sum()
    apart = np.sum((a.mean - b.mean) ** 2)
    return max(0.0, float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * root))


def intra_frechet_distance(
    real: Features, real_labels: Labels, fake: OtherFeatures, fake_labels: OtherLabels
) -> IntraFrechet:
    """Computes the Fréchet distance within each class, and the mean over classes.

    Unlike the distance over all classes, it detects a generator that ignores its label or collapses within a class.
    A class may have fewer samples than features, as ImageNet's 1,300 images per class have for Inception's 2,048: the
    distance is then biased by the rank, and comparable at equal numbers of samples only.

    Raises:
        BadInput: a class has fewer than 2 samples, real or generated.

    Miyato and Koyama 2018, "cGANs with projection discriminator", https://arxiv.org/abs/1802.05637.
    """
    sides = {"real": (real, real_labels), "fake": (fake, fake_labels)}
    sides = {name: (features(x, name), as_labels(y, name)) for name, (x, y) in sides.items()}
    for name, (x, y) in sides.items():
        if len(x) != len(y):
            raise BadInput(f"{name}: {len(y)} labels for {len(x)} samples: give one for each")
    every = np.union1d(*(y for _, y in sides.values()))
    classes, ranks = {}, []
    for label in every:
        a, b = (moments(x[y == label], f"{name}, class {label}", singular=True) for name, (x, y) in sides.items())
        classes[int(label)] = frechet_distance_of(a, b)
        ranks += [min(each.count - 1, len(each.mean)) for each in (a, b)]
    return IntraFrechet(float(np.mean(list(classes.values()))), classes, min(ranks))


def _roots(eigenvalues: Float[np.ndarray, " D"]) -> Float[np.ndarray, " D"]:
    return np.sqrt(np.maximum(eigenvalues, 0))  # negative by rounding only

"""The Fréchet distance, squared as is usual, between two sets of features, each taken for a Gaussian.

On features of the Inception network it is the FID of Heusel et al. 2017, "GANs trained by a two time-scale update rule
converge to a local Nash equilibrium", eq. 6. It is biased upwards, the more the fewer samples there are: compare only
at equal numbers of samples, real and generated. https://arxiv.org/abs/1706.08500
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
    """Mean and covariance of a set of features; those of real data can be cached."""

    mean: Float[np.ndarray, " D"]
    covariance: Float[np.ndarray, "D D"]
    """Unbiased: divided by `count - 1`."""
    count: int


class IntraFrechet(NamedTuple):
    """The distance within each class, and their mean."""

    mean: float
    classes: dict[int, float]


def moments(x: Features, name: str = "features") -> Moments:
    """Computes mean and covariance of features `[N, D]`; error messages call them `name`.

    Raises:
        BadInput: N is at most D. The covariance then has rank N - 1 < D, and the distance says more of the number of
            samples than of what they are.
    """
    x = features(x, name, least=0)
    n, d = x.shape
    if n <= d:
        raise BadInput(f"{name}: {n} samples are too few for {d} features, at least {d + 1} are needed: draw more")
    mean = x.mean(axis=0)
    covariance = np.zeros((d, d))
    for start in range(0, n, ROWS):
        centered = x[start : start + ROWS] - mean
        covariance += centered.T @ centered
    return Moments(mean, covariance / (n - 1), n)


def frechet_distance(a: Features, b: OtherFeatures) -> float:
    """Computes `frechet_distance_of` the moments of two sets of features, `[N, D]` and `[M, D]`.

    Raises:
        BadInput: a set has no more samples than features, or the sets differ in D.
    """
    return frechet_distance_of(moments(a, "first set"), moments(b, "second set"))


def frechet_distance_of(a: Moments, b: Moments) -> float:
    """Computes |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), never negative; 0 for equal moments.

    The trace of the root is the sum of the roots of the eigenvalues of S1 S2, which are those of A' S2 A for any
    A A' = S1. That matrix is symmetric and has no negative eigenvalue, so that nothing complex can arise.

    Raises:
        BadInput: the moments are of features of different sizes.

    Dowson and Landau 1982, "The Fréchet distance between multivariate normal distributions".
    """
    if len(a.mean) != len(b.mean):
        raise BadInput(f"sets of {len(a.mean)} and {len(b.mean)} features: look at both through the same network")
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

    Raises:
        BadInput: a class has no more samples than there are features, real or generated.

    Miyato and Koyama 2018, "cGANs with projection discriminator", https://arxiv.org/abs/1802.05637.
    """
    sides = {"real": (real, real_labels), "fake": (fake, fake_labels)}
    sides = {name: (features(x, name), as_labels(y, name)) for name, (x, y) in sides.items()}
    for name, (x, y) in sides.items():
        if len(x) != len(y):
            raise BadInput(f"{name}: {len(y)} labels for {len(x)} samples: give one for each")
    every = np.union1d(*(y for _, y in sides.values()))
    classes = {}
    for label in every:
        a, b = (moments(x[y == label], f"{name}, class {label}") for name, (x, y) in sides.items())
        classes[int(label)] = frechet_distance_of(a, b)
    return IntraFrechet(float(np.mean(list(classes.values()))), classes)


def _roots(eigenvalues: Float[np.ndarray, " D"]) -> Float[np.ndarray, " D"]:
    return np.sqrt(np.maximum(eigenvalues, 0))  # below 0 by rounding only

"""The kernel distance (KID): an unbiased distance of two sets of features, with its standard error."""

import math

import numpy as np
from jaxtyping import Float

from gan_jax.metrics.arrays import Estimate, Features, OtherFeatures
from gan_jax.metrics.pairwise import blocks, same_width


def kernel_distance(real: Features, fake: OtherFeatures) -> Estimate:
    """Estimates the squared maximum mean discrepancy of the kernel k(x, y) = (x.y / D + 1)^3.

    mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j), the first two over pairs i != j: unbiased for any number
    of examples, so that it may be negative where the distributions are equal.

    Common practice is the mean over 100 random subsets of 1,000. Its expectation is the same; this one uses all pairs
    once, so it varies less and nothing in it is random.

    The error is that of the jackknife over both sets, which leaves out one example at a time. It is exact, from the
    row sums of the three kernel matrices. Where the distributions are equal it is too large, by a factor of about
    sqrt(2): the part of the estimate that depends on two examples at once is counted twice, and it is all there is.
    With only 2 examples in a set there is no error: nan.

    Args:
        real: `[N, D]`.
        fake: `[M, D]`.

    Raises:
        BadInput: fewer than 2 examples in either, or different widths.

    Binkowski et al. 2018, "Demystifying MMD GANs", https://arxiv.org/abs/1801.01401; Gretton et al. 2012, "A kernel
    two-sample test", eq. 3; of the bias
    of its error Efron and Stein 1981, "The jackknife estimate of variance".
    """
    x, y = same_width(real, fake, ("real", "fake"), (2, 2))
    n, m = len(x), len(y)
    within_x, within_y = _sums_within(x), _sums_within(y)
    x_to_y, y_to_x = _sums_across(x, y)
    value = np.sum(within_x) / (n * (n - 1)) + np.sum(within_y) / (m * (m - 1)) - 2 * np.sum(x_to_y) / (n * m)
    variance = _jackknife_variance(within_x, x_to_y / m) + _jackknife_variance(within_y, y_to_x / n)
    return Estimate(float(value), math.sqrt(variance))


def _jackknife_variance(within: Float[np.ndarray, " N"], across: Float[np.ndarray, " N"]) -> float:
    """Of leaving out one example of a set: its sums over its own set, its means over the other.

    Without example i the value is (sum of `within` - 2 within_i) / ((n - 1)(n - 2)) - 2 (sum of `across` - across_i) /
    (n - 1), and what does not depend on i.
    """
    n = len(within)
    if n == 2:
        return math.nan
    without = 2 / (n - 1) * (across - within / (n - 2))
    return float((n - 1) * np.var(without))


def _sums_within(x: Float[np.ndarray, "N D"]) -> Float[np.ndarray, " N"]:
    """The sum over j != i of k(x_i, x_j)."""
    sums = np.zeros(len(x))
    for rows, columns in blocks(len(x)):
        similar = _kernel(x[rows], x[columns])
        if rows == columns:
            similar = np.triu(similar, 1)  # every pair once: here only j > i
        sums[rows] += similar.sum(axis=1)
        sums[columns] += similar.sum(axis=0)
    return sums


def _sums_across(
    x: Float[np.ndarray, "N D"], y: Float[np.ndarray, "M D"]
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " M"]]:
    """The sums of k(x_i, y_j) over j and over i."""
    over_y, over_x = np.zeros(len(x)), np.zeros(len(y))
    for rows, columns in blocks(len(x), len(y)):
        similar = _kernel(x[rows], y[columns])
        over_y[rows] += similar.sum(axis=1)
        over_x[columns] += similar.sum(axis=0)
    return over_y, over_x


def _kernel(x: Float[np.ndarray, "R D"], y: Float[np.ndarray, "C D"]) -> Float[np.ndarray, "R C"]:
    similar = x @ y.T
    similar /= x.shape[1]
    similar += 1
    return similar * similar * similar  # a power of 3 is several times as slow

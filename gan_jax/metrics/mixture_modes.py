"""Coverage of a known distribution by samples: pure functions for `jit` and `vmap` over seeds.

Of a mixture of Gaussians the modes are known, and mode collapse can be counted (`mode_scores`). The definitions are
those of Srivastava et al. 2017, "VEEGAN", sec. 5, and Lin et al. 2018, "PacGAN", sec. 4, who score 2,500 samples and
repeat every run ten times. Other distributions are compared with their points (`energy_distance`).

Of real data 1 - exp(-9/2) = 98.9 % is of high quality: what three standard deviations hold in the plane.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Samples = Float[Array, "N D"]
Centers = Float[Array, "M D"]
Scalar = Float[Array, ""]

RADIUS = 3
"""A sample is of high quality within so many standard deviations of a center."""


def mode_scores(samples: Samples, centers: Centers, std: float | Scalar) -> dict[str, Scalar]:
    """`modes_captured` as `modes`, `high_quality` and `reverse_kl` of samples of a mixture of Gaussians.

    Args:
        samples: `[N, D]`.
        centers: `[M, D]`, the means of the mixture.
        std: the standard deviation of every component, in every direction.
    """
    return {
        "modes": modes_captured(samples, centers, std),
        "high_quality": high_quality(samples, centers, std),
        "reverse_kl": reverse_kl(samples, centers),
    }


def modes_captured(samples: Samples, centers: Centers, std: float | Scalar) -> Scalar:
    """How many centers are the nearest of at least one high-quality sample: 0 to M."""
    index, distance = nearest_mode(samples, centers)
    counts = jnp.zeros(centers.shape[0]).at[index].add(_good(distance, std))
    return jnp.sum(counts > 0, dtype=jnp.float32)


def high_quality(samples: Samples, centers: Centers, std: float | Scalar) -> Scalar:
    """The share of samples within 3 `std` of their nearest center, by Euclidean distance."""
    _, distance = nearest_mode(samples, centers)
    return jnp.mean(_good(distance, std))


def reverse_kl(samples: Samples, centers: Centers) -> Scalar:
    """KL(q || uniform) = sum over modes of q log(M q), where q is the share of samples that is nearest to each mode.

    Every sample counts, of high quality or not. 0 where all modes are equally frequent, log M where there is but one.
    """
    index, _ = nearest_mode(samples, centers)
    share = jnp.zeros(centers.shape[0]).at[index].add(1.0) / samples.shape[0]
    return jnp.sum(share * jnp.log(jnp.where(share > 0, centers.shape[0] * share, 1)))


def nearest_mode(samples: Samples, centers: Centers) -> tuple[Int[Array, " N"], Float[Array, " N"]]:
    """The index of the nearest center of every sample, and its distance."""
    distance = _distances(samples, centers)
    return jnp.argmin(distance, axis=1), jnp.min(distance, axis=1)


def energy_distance(samples: Samples, points: Float[Array, "P D"]) -> Scalar:
    """2 E|x - y| - E|x - x'| - E|y - y'| between two sets `[N, D]` and `[P, D]`, each taken as a whole distribution.

    0 for equal sets, otherwise more; about (1/N + 1/P) E|x - x'| for two draws from one distribution. Compares all
    pairs: some thousands of points, not all of the data.

    Székely and Rizzo 2013, "Energy statistics: a class of statistics based on distances".
    """

    def mean(a: Float[Array, "A D"], b: Float[Array, "B D"]) -> Scalar:
        return jnp.mean(jnp.mean(_distances(a, b), axis=1))  # in two stages: millions of terms, in float32

    return 2 * mean(samples, points) - mean(samples, samples) - mean(points, points)


def _good(distance: Float[Array, " N"], std: float | Scalar) -> Float[Array, " N"]:
    return (distance <= RADIUS * std).astype(jnp.float32)


def _distances(a: Float[Array, "A D"], b: Float[Array, "B D"]) -> Float[Array, "A B"]:
    return jnp.linalg.norm(a[:, None, :] - b[None, :, :], axis=-1)

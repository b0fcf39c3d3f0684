"""Scores of samples from toy distributions: pure functions for `jit` and `vmap` over seeds.

`mode_scores` measures mode collapse on a mixture of Gaussians, `energy_distance` compares with points of any
distribution. For real points of a mixture in the plane, `high_quality` is 1 - exp(-9/2) = 98.9 %.

Srivastava et al. 2017, "VEEGAN", sec. 5, https://arxiv.org/abs/1705.07761; Lin et al. 2018, "PacGAN", sec. 4,
https://arxiv.org/abs/1712.04086. Both score 2,500 samples and repeat every run ten times.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gan_jax.aliases import old_names

__getattr__ = old_names(__name__)

Samples = Float[Array, "N D"]
Centers = Float[Array, "M D"]
Scalar = Float[Array, ""]

RADIUS = 3
"""Maximum distance of a high-quality sample from its nearest center, in standard deviations."""


def mode_scores(samples: Samples, centers: Centers, std: float | Scalar) -> dict[str, Scalar]:
    """Computes `modes` (see `modes_captured`), `high_quality` and `reverse_kl_modes` for a mixture of Gaussians.

    Args:
        samples: `[N, D]`.
        centers: the means of the mixture, `[M, D]`.
        std: the standard deviation of the components, which are isotropic.
    """
    return {
        "modes": modes_captured(samples, centers, std),
        "high_quality": high_quality(samples, centers, std),
        "reverse_kl_modes": reverse_kl_modes(samples, centers),
    }


def modes_captured(samples: Samples, centers: Centers, std: float | Scalar) -> Scalar:
    """Counts the centers with at least one high-quality sample, 0 to M."""
    index, distance = nearest_mode(samples, centers)
    counts = jnp.zeros(centers.shape[0]).at[index].add(_good(distance, std))
    return jnp.sum(counts > 0, dtype=jnp.float32)


def high_quality(samples: Samples, centers: Centers, std: float | Scalar) -> Scalar:
    """Computes the share of samples within 3 `std` of their nearest center."""
    _, distance = nearest_mode(samples, centers)
    return jnp.mean(_good(distance, std))


def reverse_kl_modes(samples: Samples, centers: Centers) -> Scalar:
    """Computes KL(q || uniform) = sum over modes of q log(M q), with q the share of samples nearest to each center.

    Samples of low quality count too. 0 if all modes are equally frequent, log M if only one occurs.
    """
    index, _ = nearest_mode(samples, centers)
    share = jnp.zeros(centers.shape[0]).at[index].add(1.0) / samples.shape[0]
    return jnp.sum(share * jnp.log(jnp.where(share > 0, centers.shape[0] * share, 1)))


def nearest_mode(samples: Samples, centers: Centers) -> tuple[Int[Array, " N"], Float[Array, " N"]]:
    """Finds the index of the nearest center of every sample, and the distance to it."""
    distance = _distances(samples, centers)
    return jnp.argmin(distance, axis=1), jnp.min(distance, axis=1)


def energy_distance(samples: Samples, points: Float[Array, "P D"]) -> Scalar:
    """Computes 2 E|x - y| - E|x - x'| - E|y - y'| between the empirical distributions of `[N, D]` and `[P, D]`.

    Never negative, and 0 for equal sets; the expectation for two draws from one distribution is about
    (1/N + 1/P) E|x - x'|. Holds all pairs in memory: pass some thousands of points only.

    Székely and Rizzo 2013, "Energy statistics: a class of statistics based on distances".
    """

    def mean(a: Float[Array, "A D"], b: Float[Array, "B D"]) -> Scalar:
        return jnp.mean(jnp.mean(_distances(a, b), axis=1))  # in two stages, for precision in float32

    return 2 * mean(samples, points) - mean(samples, samples) - mean(points, points)


def _good(distance: Float[Array, " N"], std: float | Scalar) -> Float[Array, " N"]:
    return (distance <= RADIUS * std).astype(jnp.float32)


def _distances(a: Float[Array, "A D"], b: Float[Array, "B D"]) -> Float[Array, "A B"]:
    return jnp.linalg.norm(a[:, None, :] - b[None, :, :], axis=-1)

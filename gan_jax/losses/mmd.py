"""Kernel losses: the critic is an embedding, and the loss a distance between the embedded batches.

Scores are `[B]` or embeddings `[B, K]`. `g` returns values `[B]` whose mean is an unbiased estimate of the distance;
`d` is its negative. Each example is compared with the whole batch, also where devices share it. A constant added to all
scores changes no distance, so none is undecided.
"""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather, device_index
from gan_jax.errors import BadInput
from gan_jax.losses.adversarial import AdversarialLoss

Kernel = Callable[[Float[Array, "N K"], Float[Array, "M K"]], Float[Array, "N M"]]
"""A similarity of every embedding in one batch with every embedding in another."""


def gaussian(bandwidths: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 16.0)) -> Kernel:
    """Builds the kernel that sums exp(-|x - y|^2 / (2 sigma^2)) over bandwidths sigma.

    Li et al. 2017, "MMD GAN: towards deeper understanding of moment matching network", with these bandwidths,
    https://arxiv.org/abs/1705.08584.
    """

    def kernel(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
        squared = _squared_distances(x, y)
        return sum(jnp.exp(-squared / (2 * sigma**2)) for sigma in bandwidths)

    return kernel


def rational_quadratic(alphas: Sequence[float] = (0.2, 0.5, 1.0, 2.0, 5.0)) -> Kernel:
    """Builds the kernel that sums (1 + |x - y|^2 / (2 alpha))^-alpha over `alphas`.

    Its tails are heavier than the Gaussian kernel's, so distant batches still give a gradient.

    Binkowski et al. 2018, "Demystifying MMD GANs", with these alphas, https://arxiv.org/abs/1801.01401.
    """

    def kernel(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
        squared = _squared_distances(x, y)
        return sum((1 + squared / (2 * alpha)) ** -alpha for alpha in alphas)

    return kernel


def negative_distance(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
    """Computes -|x - y|, the kernel of the energy distance."""
    squared = _squared_distances(x, y)
    apart = squared > 0
    # The square root has no gradient at 0, the distance of every example to itself.
    return -jnp.where(apart, jnp.sqrt(jnp.where(apart, squared, 1)), 0)


def mmd(kernel: Kernel) -> AdversarialLoss:
    """Builds the squared maximum mean discrepancy, E k(x, x') + E k(y, y') - 2 E k(x, y), of real x and fake y.

    For example i of n it is sum_{j != i} (k(x_i, x_j) + k(y_i, y_j)) / (n - 1) - 2 sum_j k(x_i, y_j) / n. The estimate
    is unbiased, so it can be negative.

    Raises:
        BadInput: the whole batch is a single example.

    Gretton et al. 2012, "A kernel two-sample test", eq. 3; Li et al. 2017, https://arxiv.org/abs/1705.08584.
    """

    def estimate(s_real: Float[Array, "B *K"], s_fake: Float[Array, "B *K"]) -> Float[Array, " B"]:
        x, y = (s.reshape(s.shape[0], -1) for s in (s_real, s_fake))
        every_x, every_y = all_gather(x), all_gather(y)
        within = _mean_over_others(kernel(x, every_x)) + _mean_over_others(kernel(y, every_y))
        return within - 2 * jnp.mean(kernel(x, every_y), axis=1)

    return AdversarialLoss(d=lambda s_real, s_fake: -estimate(s_real, s_fake), g=estimate, undecided=None)


mmd_gaussian = mmd(gaussian())._replace(name="mmd_gaussian")
"""`mmd` with the kernel `gaussian()`."""

mmd_rational_quadratic = mmd(rational_quadratic())._replace(name="mmd_rational_quadratic")
"""`mmd` with the kernel `rational_quadratic()`."""

cramer = mmd(negative_distance)._replace(name="cramer")
"""The energy distance 2 E|x - y| - E|x - x'| - E|y - y'|.

In one dimension it is twice the integral of (F - G)^2, where F and G are the distribution functions of x and y.

Bellemare et al. 2017, "The Cramer distance as a solution to biased Wasserstein gradients", sec. 5,
https://arxiv.org/abs/1705.10743."""


def _squared_distances(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
    # |x|^2 - 2 x.y + |y|^2 would lose all digits where large embeddings are close.
    return jnp.sum((x[:, None] - y[None]) ** 2, axis=-1)


def _mean_over_others(similarities: Float[Array, "B N"]) -> Float[Array, " B"]:
    """Averages each row without the example itself; `B` rows are on this device, `N` in the whole batch."""
    b, n = similarities.shape
    if n == 1:
        raise BadInput("a kernel loss compares examples of one batch: use a batch of at least 2")
    itself = (device_index() * b + jnp.arange(b))[:, None] == jnp.arange(n)[None]
    return jnp.sum(jnp.where(itself, 0, similarities), axis=1) / (n - 1)

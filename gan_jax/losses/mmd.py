"""Losses that compare samples with a kernel: the critic is an embedding, and the loss the distance of two batches.

Scores may be `[B]` or embeddings `[B, K]`. Every loss returns `[B]` values whose mean is an unbiased estimate of the
distance: `g` is the estimate, `d` minus it. Each example is compared with all of the batch, however it is split.
"""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather, device_index
from gan_jax.errors import BadInput
from gan_jax.losses.adversarial import AdversarialLoss

Kernel = Callable[[Float[Array, "N K"], Float[Array, "M K"]], Float[Array, "N M"]]
"""How alike every embedding of one batch is to every one of another."""


def gaussian(bandwidths: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 16.0)) -> Kernel:
    """The sum of exp(-|x - y|^2 / (2 sigma^2)) over bandwidths sigma.

    Li et al. 2017, "MMD GAN: towards deeper understanding of moment matching network", whose bandwidths these are.
    """

    def kernel(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
        squared = _squared_distances(x, y)
        return sum(jnp.exp(-squared / (2 * sigma**2)) for sigma in bandwidths)

    return kernel


def rational_quadratic(alphas: Sequence[float] = (0.2, 0.5, 1.0, 2.0, 5.0)) -> Kernel:
    """The sum of (1 + |x - y|^2 / (2 alpha))^-alpha over `alphas`.

    Binkowski et al. 2018, "Demystifying MMD GANs", whose alphas these are. Its tails are heavier than the Gaussian
    kernel's, so that batches far apart still pull on each other.
    """

    def kernel(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
        squared = _squared_distances(x, y)
        return sum((1 + squared / (2 * alpha)) ** -alpha for alpha in alphas)

    return kernel


def negative_distance(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
    """-|x - y|, whose discrepancy is the energy distance."""
    squared = _squared_distances(x, y)
    apart = squared > 0
    # The square root has no gradient at 0, which is how far every example is from itself.
    return -jnp.where(apart, jnp.sqrt(jnp.where(apart, squared, 1)), 0)


def mmd(kernel: Kernel) -> AdversarialLoss:
    """The squared maximum mean discrepancy, E k(x, x') + E k(y, y') - 2 E k(x, y), of embeddings x real and y fake.

    For example i of n it is sum_{j != i} (k(x_i, x_j) + k(y_i, y_j)) / (n - 1) - 2 sum_j k(x_i, y_j) / n. The mean is
    unbiased, and so may be negative.

    Raises:
        BadInput: the whole batch is a single example.

    Gretton et al. 2012, "A kernel two-sample test", eq. 3; Li et al. 2017, "MMD GAN".
    """

    def estimate(s_real: Float[Array, "B *K"], s_fake: Float[Array, "B *K"]) -> Float[Array, " B"]:
        x, y = (s.reshape(s.shape[0], -1) for s in (s_real, s_fake))
        every_x, every_y = all_gather(x), all_gather(y)
        within = _mean_over_others(kernel(x, every_x)) + _mean_over_others(kernel(y, every_y))
        return within - 2 * jnp.mean(kernel(x, every_y), axis=1)

    return AdversarialLoss(d=lambda s_real, s_fake: -estimate(s_real, s_fake), g=estimate)


cramer = mmd(negative_distance)
"""The energy distance 2 E|x - y| - E|x - x'| - E|y - y'|.

In one dimension it is twice the integral of (F - G)^2, F and G the distribution functions of x and y.

Bellemare et al. 2017, "The Cramer distance as a solution to biased Wasserstein gradients", sec. 5."""


def _squared_distances(x: Float[Array, "N K"], y: Float[Array, "M K"]) -> Float[Array, "N M"]:
    # Not |x|^2 - 2 x.y + |y|^2, which loses all digits where large embeddings are close.
    return jnp.sum((x[:, None] - y[None]) ** 2, axis=-1)


def _mean_over_others(similarities: Float[Array, "B N"]) -> Float[Array, " B"]:
    """The mean of each row, without the example itself: `B` are this device's of all `N`."""
    b, n = similarities.shape
    if n == 1:
        raise BadInput("a single example cannot be compared with others of its kind: use a batch of at least 2")
    itself = (device_index() * b + jnp.arange(b))[:, None] == jnp.arange(n)[None]
    return jnp.sum(jnp.where(itself, 0, similarities), axis=1) / (n - 1)

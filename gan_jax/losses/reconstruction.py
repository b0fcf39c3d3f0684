"""Distances of an output from its target, per example: the terms that supervise a conditional generator.

Means, not sums, over all axes but the first, so that a weight means the same at every size.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

Target = Float[Array, "B *dims"]
Distance = Float[Array, " B"]


def l1(x: Target, x_fake: Target) -> Distance:
    """Computes mean |x - x_fake|. Its minimizer is the median of the targets of an input, which blurs less than a mean.

    Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", eq. 3, weight 100
    (https://arxiv.org/abs/1611.07004); as cycle consistency Zhu et al. 2017, eq. 2, weight 10
    (https://arxiv.org/abs/1703.10593).
    """
    return _mean(jnp.abs(x - x_fake))


def squared_error(x: Target, x_fake: Target) -> Distance:
    """Computes mean (x - x_fake)^2. Its minimizer, the mean of the targets of an input, has the highest PSNR.

    Ledig et al. 2017, "Photo-realistic single image super-resolution using a generative adversarial network", eq. 4
    (https://arxiv.org/abs/1609.04802).
    """
    return _mean(jnp.square(x - x_fake))


def _mean(errors: Target) -> Distance:
    return jnp.mean(errors.astype(jnp.float32), axis=tuple(range(1, errors.ndim)))

"""Path length regularization."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float

from gan_jax.engine.collectives import pmean
from gan_jax.penalties.gradient import Examples

Lengths = Float[Array, " B"]


def path_lengths(
    synthesize: Callable[[Float[Array, "B L W"]], Examples], ws: Float[Array, "B L W"], y: Examples
) -> Lengths:
    """Computes `|J^T y|` of every example, where J is the Jacobian of its output by its latents.

    `y` is noise like the outputs; of standard deviation `1 / sqrt(H W)` for images. With several layers, the squared
    norm is the mean over them of the sum over `W`.

    Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", eq. 4 and app. C,
    https://arxiv.org/abs/1912.04958.
    """
    _, back = jax.vjp(synthesize, ws)
    [slope] = back(y)
    # The square root has no gradient at 0, where the latents have no effect.
    return jnp.sqrt(jnp.mean(jnp.sum(jnp.square(slope), axis=-1), axis=-1) + 1e-12)


class PathLength(nn.Module):
    """Computes `(length - a)^2`, where `a` is the running mean of the lengths.

    A network without parameters; give its player the optimizer `optax.identity()`. The mean is in the collection
    "averages" and starts at 0. Where that is mutable, it is first updated, `a = decay a + (1 - decay) mean(lengths)`
    over the whole batch; no gradient flows through it.

    Karras et al. 2020, eq. 4, https://arxiv.org/abs/1912.04958.
    """

    decay: float = 0.99

    @nn.compact
    def __call__(self, lengths: Lengths) -> Lengths:
        """Computes the penalty `[B]` of lengths `[B]`."""
        anchor = self.variable("averages", "mean", jnp.zeros, (), jnp.float32)
        if self.is_mutable_collection("averages") and not self.is_initializing():
            mean = pmean(jnp.mean(lax.stop_gradient(lengths)))
            anchor.value = self.decay * anchor.value + (1 - self.decay) * mean
        return jnp.square(lengths - anchor.value)

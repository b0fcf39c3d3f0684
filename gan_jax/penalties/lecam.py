"""The LeCam regularizer."""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from gan_jax.engine.collectives import pmean
from gan_jax.losses import Scores


class LeCam(nn.Module):
    """Computes `(s_real - a_fake)^2 + (s_fake - a_real)^2`, where the anchors `a` are running means of the scores.

    A network without parameters; give its player the optimizer `optax.identity()`. The anchors are the collection
    "averages" and start at 0. Where that is mutable, they are first updated, `a = decay a + (1 - decay) mean(s)` with
    the mean over the whole batch; no gradient flows through them.

    The authors' code differs from the paper: it counts only real scores above and fake scores below their anchor.

    Tseng et al. 2021, "Regularizing generative adversarial networks under limited data",
    https://arxiv.org/abs/2104.03310.
    """

    decay: float = 0.99

    @nn.compact
    def __call__(self, s_real: Scores, s_fake: Scores) -> Scores:
        """Computes the penalty `[B]` of scores `[B]`."""
        anchor_real = self.variable("averages", "real", jnp.zeros, ())
        anchor_fake = self.variable("averages", "fake", jnp.zeros, ())
        if self.is_mutable_collection("averages") and not self.is_initializing():
            for anchor, scores in ((anchor_real, s_real), (anchor_fake, s_fake)):
                mean = pmean(jnp.mean(lax.stop_gradient(scores)))
                anchor.value = self.decay * anchor.value + (1 - self.decay) * mean
        return jnp.square(s_real - anchor_fake.value) + jnp.square(s_fake - anchor_real.value)

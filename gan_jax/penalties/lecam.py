"""The LeCam regulariser. Tseng et al. 2021, "Regularizing generative adversarial networks under limited data"."""

import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from gan_jax.engine.collectives import pmean
from gan_jax.losses import Scores


class LeCam(nn.Module):
    """`(s_real - a_fake)^2 + (s_fake - a_real)^2`, the anchors a being running means of the scores.

    A network without parameters, whose player's optimizer is `optax.identity()`. The anchors are its collection
    "averages" and begin at 0. Where that is mutable, they first follow this batch, `a = decay a + (1 - decay) mean(s)`
    with the mean of the whole batch; no gradient flows through them.

    This is the formula of the paper. The authors' program counts only scores that lie beyond their anchor, real ones
    above and fake ones below.
    """

    decay: float = 0.99

    @nn.compact
    def __call__(self, s_real: Scores, s_fake: Scores) -> Scores:
        """The penalty `[B]` of scores `[B]`."""
        anchor_real = self.variable("averages", "real", jnp.zeros, ())
        anchor_fake = self.variable("averages", "fake", jnp.zeros, ())
        if self.is_mutable_collection("averages") and not self.is_initializing():
            for anchor, scores in ((anchor_real, s_real), (anchor_fake, s_fake)):
                mean = pmean(jnp.mean(lax.stop_gradient(scores)))
                anchor.value = self.decay * anchor.value + (1 - self.decay) * mean
        return jnp.square(s_real - anchor_fake.value) + jnp.square(s_fake - anchor_real.value)

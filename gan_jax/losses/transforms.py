"""From one adversarial loss to another."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather
from gan_jax.losses.adversarial import AdversarialLoss, Scores


def clamped(loss: AdversarialLoss, limit: float) -> AdversarialLoss:
    """The loss of logits clipped to [-limit, limit]: beyond it, neither side has a gradient."""
    return AdversarialLoss(
        d=lambda s_real, s_fake: loss.d(jnp.clip(s_real, -limit, limit), jnp.clip(s_fake, -limit, limit)),
        g=lambda s_real, s_fake: loss.g(jnp.clip(s_real, -limit, limit), jnp.clip(s_fake, -limit, limit)),
    )


def top_k(loss: AdversarialLoss, share: float | Float[Array, ""]) -> AdversarialLoss:
    """The generator learns from its best fakes only; the discriminator from all of them.

    Of the n fakes of the whole batch the k = share n (rounded, at least one) with the highest scores are kept, and
    whatever ties with the last of them. The generator's loss of the others is 0, and of the kept it is rescaled, so
    that the mean over the batch is the mean over the kept.

    Args:
        loss: the loss to learn from.
        share: between 0 and 1; the paper lowers it as training goes on, and so it may depend on the step.

    Sinha et al. 2020, "Top-k training of GANs: improving GAN performance by throwing away bad samples".
    """

    def g(s_real: Scores, s_fake: Scores) -> Scores:
        everyone = all_gather(s_fake)
        n = everyone.size
        k = jnp.maximum(jnp.round(share * n), 1).astype(jnp.int32)
        threshold = jnp.sort(everyone)[n - k]
        kept = jnp.mean(everyone >= threshold, dtype=s_fake.dtype)
        return jnp.where(s_fake >= threshold, loss.g(s_real, s_fake) / kept, 0)

    return loss._replace(g=g)

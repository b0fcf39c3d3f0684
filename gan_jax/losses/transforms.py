"""Functions from one adversarial loss to another."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.collectives import all_gather
from gan_jax.losses.adversarial import AdversarialLoss, Scores


def top_k(loss: AdversarialLoss, share: float | Float[Array, ""]) -> AdversarialLoss:
    """Restricts the generator's loss to its best samples; the discriminator's stays as it is.

    Of the n fakes in the whole batch, the k = share n (rounded, at least one) with the highest scores are kept, ties
    with the last of them included. The others have loss 0, and the kept are rescaled, so that the mean over the batch
    is the mean over the kept.

    Args:
        loss: the loss to restrict.
        share: between 0 and 1; may be traced. The paper lowers it during training.

    Sinha et al. 2020, "Top-k training of GANs: improving GAN performance by throwing away bad samples",
    https://arxiv.org/abs/2002.06224.
    """

    def g(s_real: Scores, s_fake: Scores) -> Scores:
        everyone = all_gather(s_fake)
        n = everyone.size
        k = jnp.maximum(jnp.round(share * n), 1).astype(jnp.int32)
        threshold = jnp.sort(everyone)[n - k]
        kept = jnp.mean(everyone >= threshold, dtype=s_fake.dtype)
        return jnp.where(s_fake >= threshold, loss.g(s_real, s_fake) / kept, 0)

    return AdversarialLoss(loss.d, g, undecided=loss.undecided)

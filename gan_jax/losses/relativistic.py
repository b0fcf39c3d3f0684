"""Losses that say only how much more real one score is than another: a shift of all scores changes nothing."""

import jax.numpy as jnp
from jax.nn import softplus
from jaxtyping import Array, Float

from gan_jax.engine.collectives import pmean
from gan_jax.losses.adversarial import AdversarialLoss, Scores

relativistic_paired = AdversarialLoss(
    d=lambda s_real, s_fake: softplus(s_fake - s_real),
    g=lambda s_real, s_fake: softplus(s_real - s_fake),
)
"""`d`: -log sigmoid(s_real - s_fake), `g`: -log sigmoid(s_fake - s_real); each real is paired with one fake.

Jolicoeur-Martineau 2018, "The relativistic discriminator: a key element missing from standard GAN", sec. 4 (RSGAN);
Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN" (R3GAN), eq. 2."""


def relativistic_average(base: AdversarialLoss) -> AdversarialLoss:
    """Any loss, on how much more real each example is than the average one of the other kind.

    `d`: base.d(s_real - mean s_fake, s_fake - mean s_real), `g`: the same with the roles of real and fake swapped, so
    that base.g plays no part. The means are over the whole batch.

    Jolicoeur-Martineau 2018, sec. 4 (RaGAN).
    """

    def d(s_real: Scores, s_fake: Scores) -> Scores:
        return base.d(s_real - _batch_mean(s_fake), s_fake - _batch_mean(s_real))

    return AdversarialLoss(d=d, g=lambda s_real, s_fake: d(s_fake, s_real))


def _batch_mean(scores: Scores) -> Float[Array, ""]:
    return pmean(jnp.mean(scores))

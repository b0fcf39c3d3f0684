"""Losses of score differences: adding a constant to all scores changes nothing, so none is undecided."""

from functools import cache

import jax.numpy as jnp
from jax.nn import softplus
from jaxtyping import Array, Float

from gan_jax.engine.collectives import pmean
from gan_jax.losses.adversarial import AdversarialLoss, Scores

relativistic_paired = AdversarialLoss(
    d=lambda s_real, s_fake: softplus(s_fake - s_real),
    g=lambda s_real, s_fake: softplus(s_real - s_fake),
    name="relativistic_paired",
    undecided=None,
)
"""`d`: -log sigmoid(s_real - s_fake), `g`: -log sigmoid(s_fake - s_real); each real is paired with one fake.

Jolicoeur-Martineau 2018, "The relativistic discriminator: a key element missing from standard GAN", sec. 4 (RSGAN),
https://arxiv.org/abs/1807.00734; Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN"
(R3GAN), eq. 2, https://arxiv.org/abs/2501.05441."""


@cache
def relativistic_average(base: AdversarialLoss) -> AdversarialLoss:
    """Builds a loss of each score's difference from the mean score of the other kind.

    `d`: base.d(s_real - mean s_fake, s_fake - mean s_real), `g`: the same with real and fake swapped; base.g is unused.
    The means are over the whole batch. The same base gives the same object.

    Jolicoeur-Martineau 2018, sec. 4 (RaGAN), https://arxiv.org/abs/1807.00734.
    """

    def d(s_real: Scores, s_fake: Scores) -> Scores:
        return base.d(s_real - _batch_mean(s_fake), s_fake - _batch_mean(s_real))

    name = base.name and f"relativistic_average_{base.name}".removesuffix("_non_saturating")
    average = AdversarialLoss(d=d, g=lambda s_real, s_fake: d(s_fake, s_real), name=name, undecided=None)
    if base.schedule:
        return average._replace(schedule=lambda step: relativistic_average.__wrapped__(base.at(step)))
    return average


def _batch_mean(scores: Scores) -> Float[Array, ""]:
    return pmean(jnp.mean(scores))

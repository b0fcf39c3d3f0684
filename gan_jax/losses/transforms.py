"""Functions from one adversarial loss to another."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from gan_jax.engine.collectives import all_gather
from gan_jax.losses.adversarial import AdversarialLoss, Scores

Share = float | Float[Array, ""]


def scheduled(schedule: Callable[[Int[Array, ""]], AdversarialLoss]) -> AdversarialLoss:
    """Builds a loss that changes during training: in step t it is `schedule(t)`, with t a traced integer.

        losses.scheduled(lambda step: losses.label_smoothing(optax.linear_schedule(0.7, 1.0, 5000)(step)))

    Games call `loss.at(step)`; `d` and `g` of the loss itself are those of step 0.
    """
    first = schedule(jnp.int32(0))
    undecided = None if first.undecided is None else float(first.undecided)
    return first._replace(undecided=undecided, schedule=schedule, name="")


def summed(loss: AdversarialLoss) -> AdversarialLoss:
    """Sums a loss over the M members of an ensemble of discriminators: maps scores `[B, M]` to losses `[B]`."""
    if loss.schedule:
        return scheduled(lambda step: summed(loss.at(step)))

    def over_members(side: Callable[[Scores, Scores], Scores]) -> Callable:
        of_members = jax.vmap(side, in_axes=1, out_axes=1)
        return lambda s_real, s_fake: jnp.sum(of_members(s_real, s_fake), axis=1)

    return AdversarialLoss(over_members(loss.d), over_members(loss.g), undecided=loss.undecided)


def top_k(loss: AdversarialLoss, share: Share | Callable[[Int[Array, ""]], Share]) -> AdversarialLoss:
    """Restricts the generator's loss to its best samples; the discriminator's stays as it is.

    Of the n fakes in the whole batch, the k = share n (rounded, at least one) with the highest scores are kept, ties
    with the last of them included. The others have loss 0, and the kept are rescaled, so that the mean over the batch
    is the mean over the kept.

    Args:
        loss: the loss to restrict.
        share: between 0 and 1, or a function of the step, as an optax schedule: the paper lowers it during training.

    Sinha et al. 2020, "Top-k training of GANs: improving GAN performance by throwing away bad samples",
    https://arxiv.org/abs/2002.06224.
    """
    if loss.schedule or callable(share):
        return scheduled(lambda step: top_k(loss.at(step), share(step) if callable(share) else share))

    def g(s_real: Scores, s_fake: Scores) -> Scores:
        everyone = all_gather(s_fake)
        n = everyone.size
        k = jnp.maximum(jnp.round(share * n), 1).astype(jnp.int32)
        threshold = jnp.sort(everyone)[n - k]
        kept = jnp.mean(everyone >= threshold, dtype=s_fake.dtype)
        return jnp.where(s_fake >= threshold, loss.g(s_real, s_fake) / kept, 0)

    return AdversarialLoss(loss.d, g, undecided=loss.undecided)

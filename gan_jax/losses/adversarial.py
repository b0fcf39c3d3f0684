"""The type of an adversarial loss: two functions of the scores."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.game import Metrics

Scores = Float[Array, " B"]
"""One logit per example, unbounded: the output of a discriminator."""


class AdversarialLoss(NamedTuple):
    """A pair of losses on scores: each maps `(s_real [B], s_fake [B])` to a loss per example, `[B]`.

    The discriminator minimizes `d`, the generator `g`. Both take both scores, so a relativistic loss has the same type.
    """

    d: Callable[[Scores, Scores], Scores]
    g: Callable[[Scores, Scores], Scores]
    name: str = ""
    """The word for the loss on the command line; "" if it has none."""


def score_metrics(s_real: Scores, s_fake: Scores) -> Metrics:
    """Computes the mean score and the fraction classified correctly, of real and of fake examples."""
    return {
        "score_real": jnp.mean(s_real),
        "score_fake": jnp.mean(s_fake),
        "accuracy_real": jnp.mean(s_real > 0, dtype=jnp.float32),
        "accuracy_fake": jnp.mean(s_fake < 0, dtype=jnp.float32),
    }

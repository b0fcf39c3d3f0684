"""What an adversarial loss is: two functions of the scores."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from gan_jax.engine.game import Metrics

Scores = Float[Array, " B"]
"""One logit per example, of any size: what a discriminator says."""


class AdversarialLoss(NamedTuple):
    """The two sides of a game on scores: each maps `(s_real [B], s_fake [B])` to a loss `[B]`.

    `d` is what the discriminator descends, `g` what the generator descends; both take both scores, so that a
    relativistic loss is no special case.
    """

    d: Callable[[Scores, Scores], Scores]
    g: Callable[[Scores, Scores], Scores]


def score_metrics(s_real: Scores, s_fake: Scores) -> Metrics:
    """What a discriminator's loss reports: mean score, and the share it calls right, on real and on fake."""
    return {
        "score_real": jnp.mean(s_real),
        "score_fake": jnp.mean(s_fake),
        "accuracy_real": jnp.mean(s_real > 0, dtype=jnp.float32),
        "accuracy_fake": jnp.mean(s_fake < 0, dtype=jnp.float32),
    }

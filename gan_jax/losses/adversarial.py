"""The type of an adversarial loss: two functions of the scores."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

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
    undecided: float | None = 0.0
    """The optimal score where real and fake examples are equally likely: a score above it says real.

    None if there is no such score, because the loss stays the same if a constant is added to all scores."""
    schedule: Callable[[Int[Array, ""]], Any] | None = None
    """`schedule(step)`: the loss in a step, where it changes during training; see `losses.scheduled`."""

    def at(self, step: Int[Array, ""]) -> "AdversarialLoss":
        """Returns the loss in a step."""
        return self.schedule(step) if self.schedule else self


def flat(scores: Float[Array, "B ..."]) -> Float[Array, " N"]:
    """Lays out the scores of patches `[B, h, w]` like those of examples, `[B h w]`: a patch is judged by itself."""
    return scores.reshape(-1)


def score_metrics(
    s_real: Float[Array, "B ..."], s_fake: Float[Array, "B ..."], undecided: float | None = 0.0
) -> Metrics:
    """Computes the mean scores, and how well they tell real from fake examples.

    `accuracy_pairs` is the share of pairs (real i, fake i) whose real example has the higher score; ties count half.
    Its expectation is the area under the ROC curve, so no increasing map of the scores changes it.
    `accuracy_real` and `accuracy_fake` are the shares of real scores above `undecided` and of fake scores below it.

    Args:
        s_real: scores of real examples, or of packs of them; of an ensemble, `[B, M]`.
        s_fake: as many scores of fake examples.
        undecided: that of the loss; with None, `accuracy_real` and `accuracy_fake` are left out.
    """
    above, tied = (jnp.mean(pairs, dtype=jnp.float32) for pairs in (s_real > s_fake, s_real == s_fake))
    metrics = {"score_real": jnp.mean(s_real), "score_fake": jnp.mean(s_fake), "accuracy_pairs": above + 0.5 * tied}
    if undecided is not None:
        metrics["accuracy_real"] = jnp.mean(s_real > undecided, dtype=jnp.float32)
        metrics["accuracy_fake"] = jnp.mean(s_fake < undecided, dtype=jnp.float32)
    return metrics

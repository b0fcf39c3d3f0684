"""How well a discriminator separates real from generated examples: pure functions of scores.

Compare the values for training and for held-out examples: a gap means that the discriminator overfits. At equilibrium
both are 1/2, the value of guessing.
"""

import numpy as np
from jaxtyping import Array, Float, Num

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import features

Scores = Num[np.ndarray, " N"] | Num[Array, " N"]
OtherScores = Num[np.ndarray, " M"] | Num[Array, " M"]


def adversarial_accuracy(s_real: Scores, s_fake: OtherScores) -> float:
    """Computes the mean of two shares: of real scores above 0 and of generated scores below 0.

    A score of 0 counts half, so a discriminator of constant 0 has 1/2. For losses whose scores have no fixed zero
    (Wasserstein, relativistic) use `ranking_accuracy`.

    Raises:
        BadInput: there are no scores, or some are not finite.
    """
    real, fake = _scores(s_real, "s_real"), _scores(s_fake, "s_fake")
    return float((np.mean(np.sign(real)) - np.mean(np.sign(fake)) + 2) / 4)


def ranking_accuracy(s_real: Scores, s_fake: OtherScores) -> float:
    """Computes the probability that a real example scores above a generated one; ties count half.

    This is the area under the ROC curve, which is invariant to shifting and positive scaling of the scores.

    Raises:
        BadInput: there are no scores, or some are not finite.

    Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating characteristic (ROC) curve".
    """
    real, fake = _scores(s_real, "s_real"), np.sort(_scores(s_fake, "s_fake"))
    below, not_above = (np.searchsorted(fake, real, side).astype(np.float64) for side in ("left", "right"))
    return float(np.mean(below + not_above) / (2 * len(fake)))


def _scores(s: Scores, name: str) -> Float[np.ndarray, " N"]:
    s = np.asarray(s)
    if s.ndim != 1:
        raise BadInput(f"{name}: scores must be [N], not {list(s.shape)}: one number for each example")
    return features(s[:, None], name)[:, 0]

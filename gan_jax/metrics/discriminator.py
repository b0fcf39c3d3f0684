"""How well a discriminator tells real from generated: pure functions of its scores.

Compare the value on training examples with held-out ones. A gap is a discriminator that has learned its examples
by heart; 1/2 on held-out data, where it can but guess, is what the game aims for. Generated samples need no holding
out: new ones can be drawn.
"""

import numpy as np
from jaxtyping import Array, Float, Num

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import features

Scores = Num[np.ndarray, " N"] | Num[Array, " N"]
OtherScores = Num[np.ndarray, " M"] | Num[Array, " M"]


def adversarial_accuracy(s_real: Scores, s_fake: OtherScores) -> float:
    """The mean of two shares: of real scores above 0 and of generated ones below, where a logit says "as likely".

    A score of 0 counts half, so that a discriminator that says nothing has 1/2. For scores whose 0 means nothing
    (Wasserstein, relativistic losses) see `ranking_accuracy`.

    Raises:
        BadInput: there are no scores, or some are not finite.
    """
    real, fake = _scores(s_real, "s_real"), _scores(s_fake, "s_fake")
    return float((np.mean(np.sign(real)) - np.mean(np.sign(fake)) + 2) / 4)


def ranking_accuracy(s_real: Scores, s_fake: OtherScores) -> float:
    """The probability that a real example scores above a generated one; ties count half.

    It is the area under the ROC curve, needs no threshold, and stays the same where scores are shifted or scaled.

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

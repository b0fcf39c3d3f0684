"""The inception score: how certain a classifier is of each image, and how many classes it finds overall."""

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Estimate, Probabilities, features


def inception_score(probabilities: Probabilities, splits: int = 10) -> Estimate:
    """Computes exp of the mean KL(p(y|x) || p(y)): mean and spread over `splits` parts of the samples.

    1 where every image gets the same probabilities, K where it is certain of each and all of K classes are equally
    frequent. The parts are consecutive samples, whose order must be random: not sorted by class. They are scored one
    by one, so a score depends on N and on `splits`: compare only at equal ones. The error is the standard deviation
    over the parts (dividing by their number, as is usual), not that of the mean.

    Args:
        probabilities: `[N, K]`, of each class; with the Inception network this is the score of the paper.
        splits: how many parts, of nearly equal size.

    Raises:
        BadInput: a probability is negative, the rows do not add up to 1, or there are fewer samples than parts.

    Salimans et al. 2016, "Improved techniques for training GANs", sec. 4, https://arxiv.org/abs/1606.03498.
    """
    if splits < 1:
        raise BadInput(f"the inception score cannot be taken over {splits} splits: use at least 1")
    p = features(probabilities, "probabilities", splits)
    sums = p.sum(axis=1)
    bad = np.flatnonzero((p < 0).any(axis=1) | (np.abs(sums - 1) > 1e-3))
    if len(bad):
        raise BadInput(
            f"probabilities: {len(bad)} of {len(p)} rows hold a negative one or do not add up to 1, "
            f"first [{bad[0]}] with {sums[bad[0]]:.4g}: give probabilities, not logits"
        )
    scores = [_score(part) for part in np.array_split(p, splits)]
    return Estimate(float(np.mean(scores)), float(np.std(scores)))


def _score(p: Float[np.ndarray, "N K"]) -> float:
    marginal = np.broadcast_to(p.mean(axis=0), p.shape)
    seen = p > 0  # p log p is 0 at p = 0
    ratio = np.divide(p, marginal, out=np.ones_like(p), where=seen)
    return float(np.exp(np.mean(np.sum(p * np.log(ratio), axis=1))))

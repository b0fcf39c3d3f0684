"""The inception score: high if a classifier is certain of each image and predicts all classes equally often."""

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Estimate, Probabilities, features


def inception_score(probabilities: Probabilities, splits: int = 10) -> Estimate:
    """Computes exp(E_x KL(p(y|x) || p(y))) on each of `splits` parts of the samples; returns mean and spread.

    Between 1, if all images have the same probabilities, and K, if predictions are certain and all K classes equally
    frequent. The parts are consecutive samples, so the order must be random, not sorted by class. The score depends on
    N and `splits`: compare only at equal values. The error is the standard deviation over parts (ddof 0, as usual),
    not that of the mean.

    Args:
        probabilities: class probabilities, `[N, K]`; the paper uses the Inception network.
        splits: the number of parts, of nearly equal size.

    Raises:
        BadInput: a probability is negative, a row does not sum to 1, or there are fewer samples than parts.

    Salimans et al. 2016, "Improved techniques for training GANs", sec. 4, https://arxiv.org/abs/1606.03498.
    """
    if splits < 1:
        raise BadInput(f"the inception score needs at least 1 split, not {splits}: raise splits")
    p = features(probabilities, "probabilities", splits)
    sums = p.sum(axis=1)
    bad = np.flatnonzero((p < 0).any(axis=1) | (np.abs(sums - 1) > 1e-3))
    if len(bad):
        raise BadInput(
            f"probabilities: {len(bad)} of {len(p)} rows have a negative entry or do not sum to 1, "
            f"first [{bad[0]}] with sum {sums[bad[0]]:.4g}: give probabilities, not logits"
        )
    scores = [_score(part) for part in np.array_split(p, splits)]
    return Estimate(float(np.mean(scores)), float(np.std(scores)))


def _score(p: Float[np.ndarray, "N K"]) -> float:
    marginal = np.broadcast_to(p.mean(axis=0), p.shape)
    positive = p > 0  # p log p is 0 at p = 0
    ratio = np.divide(p, marginal, out=np.ones_like(p), where=positive)
    return float(np.exp(np.mean(np.sum(p * np.log(ratio), axis=1))))

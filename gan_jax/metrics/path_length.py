"""Perceptual path length (PPL): the rate of change of images along a path between two latents.

Karras et al. 2019, "A style-based generator architecture for generative adversarial networks", sec. 4.1,
https://arxiv.org/abs/1812.04948, use LPIPS, a distance of VGG16 features. Values with features of another network are
not comparable with published ones.
"""

import numpy as np

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Estimate, Features, features


def path_length(start: Features, end: Features, epsilon: float) -> Estimate:
    """Estimates the mean of |f(G(z_t)) - f(G(z_{t + epsilon}))|^2 / epsilon^2, and its standard error.

    As in StyleGAN's code, values below the 1st and above the 99th percentile are dropped (percentiles are values of
    samples, rounded outwards, so few samples lose none).

    The images at the two ends must differ by much more than their rounding. With the paper's epsilon of 1e-4, use
    images in floating point; 8-bit images need a larger epsilon.

    Args:
        start: features at t, `[N, D]`.
        end: features at t + epsilon, `[N, D]`.
        epsilon: the distance of the two ends on the path.

    Raises:
        BadInput: there are fewer than two pairs, `start` and `end` differ in shape, or `epsilon` is not above 0.
    """
    if not epsilon > 0:
        raise BadInput(f"epsilon must be above 0, not {epsilon}: 1e-4 in the paper")
    a, b = features(start, "start", 2), features(end, "end", 2)
    if a.shape != b.shape:
        raise BadInput(f"start {list(a.shape)} and end {list(b.shape)} differ in shape: give one end for each start")
    lengths = np.sum((a - b) ** 2, axis=1) / epsilon**2
    low = np.percentile(lengths, 1, method="lower")
    high = np.percentile(lengths, 99, method="higher")
    kept = lengths[(low <= lengths) & (lengths <= high)]
    return Estimate(float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(len(kept))))

"""Perceptual path length: how fast images change along a path between two latents.

Karras et al. 2019, "A style-based generator architecture for generative adversarial networks", sec. 4.1, who measure
the change with VGG16 features weighted to agree with people (LPIPS). With features of any other network the scale is
another, and values cannot be compared with published ones.
"""

import numpy as np

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Estimate, Features, features


def path_length(start: Features, end: Features, epsilon: float) -> Estimate:
    """Estimates the mean of |f(G(z_t)) - f(G(z_{t + epsilon}))|^2 / epsilon^2, and its standard error.

    As in StyleGAN's code, what is below the 1st or above the 99th percentile of all is dropped first (percentiles are
    samples: the lower neighbor of the 1st, the upper one of the 99th), so that of a few samples none is.

    Images must change by much more than their rounding between the two ends. With epsilon = 1e-4, as in the paper, this
    takes images in floating point: of images in 8 bits the rounding is what would be measured, and a larger epsilon
    is needed.

    Args:
        start: `[N, D]`, features of images of the first `ends`.
        end: `[N, D]`, of the second.
        epsilon: what `ends` was given.

    Raises:
        BadInput: there are fewer than two pairs, not as many starts as ends, or `epsilon` is not above 0.
    """
    if not epsilon > 0:
        raise BadInput(f"a path cannot be followed by a step of {epsilon}: epsilon must be above 0")
    a, b = features(start, "start", 2), features(end, "end", 2)
    if a.shape != b.shape:
        raise BadInput(f"starts {list(a.shape)} and ends {list(b.shape)} do not pair up: give an end for each start")
    lengths = np.sum((a - b) ** 2, axis=1) / epsilon**2
    low = np.percentile(lengths, 1, method="lower")
    high = np.percentile(lengths, 99, method="higher")
    kept = lengths[(low <= lengths) & (lengths <= high)]
    return Estimate(float(kept.mean()), float(kept.std(ddof=1) / np.sqrt(len(kept))))

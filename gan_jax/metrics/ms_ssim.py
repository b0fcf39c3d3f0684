"""Multi-scale structural similarity of images, and its mean over pairs as a measure of diversity.

Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality assessment".
"""

import numpy as np
from jaxtyping import Float, UInt8

from gan_jax.errors import BadInput
from gan_jax.metrics.arrays import Estimate
from gan_jax.metrics.features.network import Images
from gan_jax.metrics.ssim import WINDOW, compare_windows

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the scales, finest first (Wang et al. 2003)."""

VALUES = 2**17
"""Number of pixel values compared at a time, small enough for the processor's cache."""


def scales_for(height: int, width: int) -> int:
    """Computes the number of scales for images of this size: at most five, and as many as the window fits into.

    Each scale halves the size. Five scales need 176 pixels a side; 64 pixels allow three, 32 and 28 allow two. Values
    for different numbers of scales are not comparable, so the number is part of the protocol.

    Raises:
        BadInput: a side is shorter than the window.
    """
    side = min(height, width)
    if side < WINDOW:
        raise BadInput(f"images of {height}x{width} are too small for MS-SSIM: give at least {WINDOW} pixels a side")
    return min(len(WEIGHTS), (side // WINDOW).bit_length())


def ms_ssim(a: Images, b: Images) -> Float[np.ndarray, " N"]:
    """Computes MS-SSIM of pairs of images: 1 for equal images, about 0 for unrelated ones; never negative.

    Contrast and structure are compared on every scale, luminance on the coarsest. The weights of the scales in use are
    normalized to sum 1. A scale with negative mean similarity counts as 0. Color images average over channels.

    Raises:
        BadInput: images are smaller than 11 pixels a side, or `a` and `b` differ in shape.
    """
    if a.shape != b.shape:
        raise BadInput(f"images {list(a.shape)} and {list(b.shape)} differ in shape: give pairs of images of one size")
    n, height, width, channels = a.shape
    scales = scales_for(height, width)
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    rows = max(1, VALUES // (height * width * channels))
    result = np.empty(n)
    for start in range(0, n, rows):
        block = slice(start, start + rows)
        result[block] = _similarity(_planes(a[block]), _planes(b[block]), weights).reshape(-1, channels).mean(axis=1)
    return result


def mean_ms_ssim(images: Images, pairs: int, seed: int = 0) -> Estimate:
    """Estimates the mean `ms_ssim` over random pairs of different images; lower means more diverse.

    Use images of one class, as the paper does, and compare with real images of that class: different classes are
    dissimilar anyway. The standard error assumes independent pairs; use no more pairs than images.

    Raises:
        BadInput: there are fewer than two images or pairs, or images are smaller than 11 pixels a side.

    Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", https://arxiv.org/abs/1610.09585.
    """
    n = len(images)
    if n < 2 or pairs < 2:
        raise BadInput(f"{pairs} pairs of {n} images are too few for a mean with error: use at least 2 of each")
    rng = np.random.default_rng(seed)
    first = rng.integers(n, size=pairs)
    second = (first + rng.integers(1, n, size=pairs)) % n
    values = ms_ssim(images[first], images[second])
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(pairs)))


def _planes(images: UInt8[np.ndarray, "N H W C"]) -> Float[np.ndarray, "P H W"]:
    """Returns every channel of every image as an image of its own."""
    return np.moveaxis(images, 3, 1).reshape(-1, *images.shape[1:3]).astype(np.float64)


def _similarity(
    a: Float[np.ndarray, "P H W"], b: Float[np.ndarray, "P H W"], weights: Float[np.ndarray, " S"]
) -> Float[np.ndarray, " P"]:
    product = np.ones(len(a))
    for weight in weights[:-1]:
        _, structure = compare_windows(a, b)
        product *= np.maximum(structure.mean(axis=(1, 2)), 0) ** weight
        a, b = _halved(a), _halved(b)
    luminance, structure = compare_windows(a, b)
    return product * np.maximum((luminance * structure).mean(axis=(1, 2)), 0) ** weights[-1]


def _halved(x: Float[np.ndarray, "P H W"]) -> Float[np.ndarray, "P h w"]:
    """Averages blocks of 2 x 2 pixels; drops the last row or column if their number is odd."""
    p, height, width = x.shape
    return x[:, : height // 2 * 2, : width // 2 * 2].reshape(p, height // 2, 2, width // 2, 2).mean(axis=(2, 4))

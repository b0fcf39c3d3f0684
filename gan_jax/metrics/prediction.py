"""How well the next frames of a video are predicted, by the number of steps ahead; and how sharp they are.

Beside these stand those of the last given frame, repeated: a prediction worth its name is closer. A mean of all that
may happen is closest, and blurred; so read the sharpness too, and compare it with that of real frames.
"""

import numpy as np
from jaxtyping import Float, UInt8

from gan_jax.metrics.luminance import check_pairs
from gan_jax.metrics.ssim import ssim

Videos = UInt8[np.ndarray, "N T H W C"]
Ahead = Float[np.ndarray, " T"]
"""A value of every step ahead: the mean over videos."""


def squared_error_ahead(predicted: Videos, target: Videos) -> Ahead:
    """Computes the mean squared difference of pixels in [0, 1], summed over a frame, as papers on Moving MNIST do.

    Raises:
        BadInput: frames differ in shape.
    """
    return np.array([_squares(a, b) for a, b in zip(*map(_steps, (predicted, target)), strict=True)])


def _squares(a: UInt8[np.ndarray, "N H W C"], b: UInt8[np.ndarray, "N H W C"]) -> float:
    check_pairs(a, b)
    return float(np.mean(np.sum(((a.astype(np.float64) - b) / 255) ** 2, axis=(1, 2, 3))))


def ssim_ahead(predicted: Videos, target: Videos) -> Ahead:
    """Computes the mean SSIM of frames. Raises `BadInput` as `ssim`."""
    pairs = zip(*map(_steps, (predicted, target)), strict=True)
    return np.array([ssim(a, b, luminance=False, border=0).mean() for a, b in pairs])


def gradient_energy(videos: Videos) -> Ahead:
    """Computes the mean squared difference of neighboring pixels in [0, 1], right and down, summed over a frame.

    Blur lowers it: that of a sharp prediction is the real one's.
    """

    def energy(frames: UInt8[np.ndarray, "N H W C"]) -> float:
        levels = frames.astype(np.float64) / 255
        return float(sum(np.mean(np.sum(np.diff(levels, axis=axis) ** 2, axis=(1, 2, 3))) for axis in (1, 2)))

    return np.array([energy(frames) for frames in _steps(videos)])


def _steps(videos: Videos) -> UInt8[np.ndarray, "T N H W C"]:
    return np.moveaxis(videos, 1, 0)

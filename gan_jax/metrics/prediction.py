"""Scores of predicted frames, for every step ahead: squared error, SSIM and sharpness, beside those of the last frame.

The squared error alone favors blur, the mean of all that may come next; sharpness shows it, and the last frame given,
copied, is sharp and stands still. Read all three.
"""

import numpy as np
from jaxtyping import Float, UInt8

from gan_jax.errors import BadInput
from gan_jax.metrics.ssim import ssim

Videos = UInt8[np.ndarray, "_ _ _ _ _"]
"""`[N, T, H, W, C]`."""
Steps = Float[np.ndarray, " S"]


def prediction_scores(predicted: Videos, target: Videos, given: int) -> dict[str, Steps]:
    """Computes the means over videos of the scores of each of the S = T - `given` frames after those given.

        squared_error     sum over pixels of (predicted - target)^2, with white 1 and black 0
        ssim              `ssim.ssim` of the frames
        sharpness         `gradient_energy` of predicted frames, divided by that of the targets: 1 is as sharp

    Names that end in `_copy` have those of the last given frame instead of predictions.

    Args:
        predicted: whole videos; their first `given` frames are ignored.
        target: the real videos.
        given: the number of frames from which the others were predicted.

    Raises:
        BadInput: the videos differ in shape, or there is no frame before or after those given.
    """
    if predicted.shape != target.shape or not 0 < given < target.shape[1]:
        raise BadInput(
            f"predictions {list(predicted.shape)} of videos {list(target.shape)} from {given} frames cannot be scored:"
            " give arrays of one shape, and fewer frames than they have"
        )
    copied = np.broadcast_to(target[:, given - 1 : given], target[:, given:].shape)
    return _scores(predicted[:, given:], target[:, given:]) | {
        f"{name}_copy": value for name, value in _scores(copied, target[:, given:]).items()
    }


def gradient_energy(videos: UInt8[np.ndarray, "N S H W C"]) -> Float[np.ndarray, "N S"]:
    """Computes the mean square of the differences of neighboring pixels, down and right, of every frame."""
    x = videos.astype(np.float64) / 255
    down, right = (np.square(np.diff(x, axis=axis)).mean(axis=(2, 3, 4)) for axis in (2, 3))
    return down + right


def _scores(made: UInt8[np.ndarray, "N S H W C"], target: UInt8[np.ndarray, "N S H W C"]) -> dict[str, Steps]:
    n, s, *image = target.shape
    difference = (made.astype(np.float64) - target) / 255
    frames = (videos.reshape(n * s, *image) for videos in (made, target))
    return {
        "squared_error": np.square(difference).sum(axis=(2, 3, 4)).mean(axis=0),
        "ssim": ssim(*frames, luminance=False, border=0).reshape(n, s).mean(axis=0),
        "sharpness": gradient_energy(made).mean(axis=0) / gradient_energy(target).mean(axis=0),
    }

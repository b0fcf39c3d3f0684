"""The pixels that PSNR and SSIM of super-resolution compare: luminance, without a border."""

import numpy as np
from jaxtyping import Float, UInt8

from gan_jax.errors import BadInput
from gan_jax.metrics.features.network import Images

WEIGHTS = (65.481, 128.553, 24.966)
"""Weights of R, G and B in [0, 1]."""

BLACK = 16


def luminance(images: Images) -> Float[np.ndarray, "N H W 1"]:
    """Computes Y = 16 + 65.481 R + 128.553 G + 24.966 B for R, G, B in [0, 1], not rounded: MATLAB's `rgb2ycbcr`.

    Black is 16 and white 235, so that errors shrink: PSNR of Y is 1.32 dB higher for gray colors than that of their
    8-bit values. `rgb2ycbcr` takes color images only, and MATLAB code compares gray images as they are, 0 to 255; so
    does this function, which returns one channel unchanged. A gray image among color images should therefore be
    repeated over three channels first. Y in the range 0 to 255 gives other PSNRs.
    """
    if images.shape[3] == 1:
        return images.astype(np.float64)
    return BLACK + images @ (np.array(WEIGHTS) / 255)[:, None]


def compared_pixels(
    x: Images, target: Images, luminance_only: bool, border: int
) -> tuple[Float[np.ndarray, "N h w c"], Float[np.ndarray, "N h w c"]]:
    """Returns the pixels of both sets inside the border, in float64: luminance, or all channels.

    Raises:
        BadInput: the sets differ in shape, have other than 1 or 3 channels, or nothing is inside the border.
    """
    check_pairs(x, target)
    height, width = x.shape[1:3]
    if border < 0 or min(height, width) <= 2 * border:
        raise BadInput(f"images of {height}x{width} have no pixels inside a border of {border}: choose another border")
    inside = (slice(None), slice(border, height - border), slice(border, width - border))
    a, b = (luminance(each[inside]) if luminance_only else each[inside].astype(np.float64) for each in (x, target))
    return a, b


def check_pairs(x: UInt8[np.ndarray, "..."], target: UInt8[np.ndarray, "..."]) -> None:
    """Raises `BadInput` unless both sets have one shape `[N, H, W, C]` with 1 or 3 channels."""
    if x.shape != target.shape:
        sizes = f"images {list(x.shape)} and {list(target.shape)} differ in shape"
        raise BadInput(f"{sizes}: give pairs of images of one size and number of channels")
    if x.ndim != 4 or x.shape[3] not in (1, 3):
        raise BadInput(f"images must be [N, H, W, 1] or [N, H, W, 3], not {list(x.shape)}: convert them")

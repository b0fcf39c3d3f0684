"""Peak signal-to-noise ratio (PSNR) of 8-bit images, and PSNR and L1 inside a mask.

All return one value per image: papers report the mean of the images' PSNRs, not the PSNR of their mean error.
"""

import numpy as np
from jaxtyping import Bool, Float

from gan_jax.errors import BadInput
from gan_jax.metrics.features.network import Images
from gan_jax.metrics.luminance import check_pairs, compared_pixels

PEAK = 255

Mask = Bool[np.ndarray, "N H W"]


def psnr(x: Images, target: Images, *, luminance: bool, border: int) -> Float[np.ndarray, " N"]:
    """Computes 10 log10(255^2 / MSE) of every pair, in dB; infinite for equal images.

    Super-resolution is compared with `luminance=True, border=4` (the border is the scale, 4 in most tables), denoising
    with `luminance=False, border=0`. Other choices differ by up to several dB.

    Args:
        x: images, `[N, H, W, C]`.
        target: images of the same shape.
        luminance: compares Y only (see `luminance.luminance`); otherwise the mean is over all channels.
        border: number of pixels that are left off at every side.

    Raises:
        BadInput: the sets differ in shape, or nothing is inside the border.
    """
    a, b = compared_pixels(x, target, luminance, border)
    return _decibels(np.mean((a - b) ** 2, axis=(1, 2, 3)))


def masked_psnr(x: Images, target: Images, mask: Mask) -> Float[np.ndarray, " N"]:
    """Computes the PSNR over all channels of the pixels where `mask` is true, in dB.

    Raises:
        BadInput: the sets differ in shape, the mask does not fit them, or a mask is empty.
    """
    return _decibels(_masked_mean(_difference(x, target) ** 2, mask))


def masked_l1(x: Images, target: Images, mask: Mask) -> Float[np.ndarray, " N"]:
    """Computes the mean absolute difference where `mask` is true, as a share of the range: 0 to 1.

    Raises:
        BadInput: as `masked_psnr`.
    """
    return _masked_mean(np.abs(_difference(x, target)), mask) / PEAK


def _decibels(squared: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    with np.errstate(divide="ignore"):
        return 10 * np.log10(PEAK**2 / squared)


def _difference(x: Images, target: Images) -> Float[np.ndarray, "N H W C"]:
    check_pairs(x, target)
    return x.astype(np.float64) - target


def _masked_mean(values: Float[np.ndarray, "N H W C"], mask: Mask) -> Float[np.ndarray, " N"]:
    if mask.shape != values.shape[:3]:
        raise BadInput(f"a mask {list(mask.shape)} for images {list(values.shape)}: give one value per pixel")
    counts = mask.sum(axis=(1, 2))
    if not counts.all():
        raise BadInput(f"the mask of image {np.argmin(counts)} is empty: leave the image out")
    return (values.mean(axis=3) * mask).sum(axis=(1, 2)) / counts

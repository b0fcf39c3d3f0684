"""Structural similarity of images, and the comparison in Gaussian windows that MS-SSIM is made of.

Wang, Bovik, Sheikh and Simoncelli 2004, "Image quality assessment: from error visibility to structural similarity".
"""

import numpy as np
from jaxtyping import Float

from gan_jax.errors import BadInput
from gan_jax.metrics.features.network import Images
from gan_jax.metrics.luminance import compared_pixels

WINDOW = 11
"""Side in pixels of the window, a Gaussian of standard deviation `STD`, in which structure is compared."""

STD = 1.5

TAPS = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / STD) ** 2)
TAPS /= TAPS.sum()

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

Planes = Float[np.ndarray, "P H W"]
Windows = Float[np.ndarray, "P h w"]


def ssim(x: Images, target: Images, *, luminance: bool, border: int) -> Float[np.ndarray, " N"]:
    """Computes the mean over windows of l(x, y) cs(x, y) of every pair: 1 for equal images, about 0 for unrelated ones.

        l = (2 mx my + C1) / (mx^2 + my^2 + C1)    cs = (2 sxy + C2) / (sx^2 + sy^2 + C2)

    Means, variances and covariance are those of an 11 x 11 Gaussian window of standard deviation 1.5, at all positions
    inside the image; K1 = 0.01, K2 = 0.03, range 255. Libraries that pad the image, or that average unweighted 7 x 7
    windows, give other values. Without `luminance`, color images average over channels.

    Args:
        x: images, `[N, H, W, C]`.
        target: images of the same shape.
        luminance: compares Y only, see `luminance.luminance`.
        border: number of pixels that are left off at every side, before windows are placed.

    Raises:
        BadInput: the sets differ in shape, or no window fits inside the border.
    """
    a, b = compared_pixels(x, target, luminance, border)
    if min(a.shape[1:3]) < WINDOW:
        size = f"{x.shape[1]}x{x.shape[2]} with a border of {border}"
        raise BadInput(f"images of {size} are too small for SSIM: give at least {WINDOW} pixels a side inside it")
    pairs = zip(np.moveaxis(a, 3, 1), np.moveaxis(b, 3, 1), strict=True)
    return np.array([np.mean(np.multiply(*compare_windows(*planes))) for planes in pairs])


def compare_windows(a: Planes, b: Planes) -> tuple[Windows, Windows]:
    """Computes the luminance term, and contrast times structure, in every window."""
    mean_a, mean_b = _smoothed(a), _smoothed(b)
    squares = mean_a**2 + mean_b**2
    product = mean_a * mean_b
    variances = _smoothed(a**2 + b**2) - squares
    covariance = _smoothed(a * b) - product
    return (2 * product + C1) / (squares + C1), (2 * covariance + C2) / (variances + C2)


def _smoothed(x: Planes) -> Windows:
    """Computes the Gaussian mean in every window inside the image."""
    height, width = (side - WINDOW + 1 for side in x.shape[1:])
    x = sum(tap * x[:, i : i + height] for i, tap in enumerate(TAPS))
    return sum(tap * x[:, :, i : i + width] for i, tap in enumerate(TAPS))

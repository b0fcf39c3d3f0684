"""Attributes of images that their moments measure: how bold, slanted and round what is bright in them is.

Hu 1962, "Visual pattern recognition by moment invariants", https://doi.org/10.1109/TIT.1962.1057692; the slant is that
by which handwritten digits are straightened, LeCun et al. 1998, "Gradient-based learning applied to document
recognition", sec. III.C.
"""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, Num, UInt8

Images = UInt8[np.ndarray, "N H W C"]
Values = Float[np.ndarray, " N"]


def boldness(images: Images) -> Values:
    """Computes the mean brightness, from 0 to 1."""
    return images.mean(axis=(1, 2, 3)) / 255


def slant(images: Images) -> Values:
    """Computes the angle by which upright strokes lean to the right, in degrees: arctan(-m_xy / m_yy)."""
    _, m_xy, m_yy = _second_moments(images)
    return np.degrees(np.arctan2(-m_xy, np.maximum(m_yy, 1e-9)))


def roundness(images: Images) -> Values:
    """Computes the ratio of the axes of the ellipse that has the same second moments: 1 for a circle, 0 for a line."""
    m_xx, m_xy, m_yy = _second_moments(images)
    mean, spread = (m_xx + m_yy) / 2, np.hypot((m_xx - m_yy) / 2, m_xy)
    return np.sqrt(np.maximum(mean - spread, 0) / np.maximum(mean + spread, 1e-9))


ATTRIBUTES: Mapping[str, Callable[[Images], Values]] = {"boldness": boldness, "slant": slant, "roundness": roundness}
"""Attributes by name."""


def _second_moments(images: Images) -> tuple[Values, Values, Values]:
    """Computes the central moments m_xx, m_xy and m_yy of the brightness, in pixels; x to the right, y down."""
    light = images.mean(axis=-1)
    light = light / np.maximum(light.sum(axis=(1, 2), keepdims=True), 1e-9)
    y, x = np.indices(light.shape[1:])

    def mean(values: Num[np.ndarray, "..."]) -> Values:
        return (light * values).sum(axis=(1, 2))

    dx, dy = (axis - mean(axis)[:, None, None] for axis in (x, y))
    return mean(dx * dx), mean(dx * dy), mean(dy * dy)

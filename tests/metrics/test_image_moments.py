"""Moments of images: bars, disks and rings of known slant and shape."""

import numpy as np
import pytest

from gan_jax.metrics.image_moments import ATTRIBUTES, boldness, roundness, slant

Y, X = np.indices((41, 41)) - 20.0


def image(mask):
    return np.uint8(255) * mask[None, ..., None].astype(np.uint8)


@pytest.mark.parametrize("degrees", [-30, 0, 20, 40])
def test_slant_of_a_sheared_bar_is_the_angle_of_the_shear(degrees):
    """Positive to the right: further right where it is higher, at smaller y."""
    bar = (np.abs(X + np.tan(np.radians(degrees)) * Y) <= 2) & (np.abs(Y) <= 12)
    np.testing.assert_allclose(slant(image(bar)), degrees, atol=1.5)


@pytest.mark.parametrize(
    ("mask", "value"),
    [(X**2 + Y**2 <= 15**2, 1), ((X / 15) ** 2 + (Y / 5) ** 2 <= 1, 1 / 3), ((X == Y) & (np.abs(X) < 9), 0)],
    ids=["disk", "ellipse", "line"],
)
def test_roundness_is_the_ratio_of_the_axes(mask, value):
    np.testing.assert_allclose(roundness(image(mask)), value, atol=0.02)


def test_shape_does_not_depend_on_brightness_or_place_and_boldness_does():
    disk = image((X / 9) ** 2 + (Y / 5) ** 2 <= 1)
    for measure in (slant, roundness):
        moved = np.roll(disk // 2, 5, axis=2)
        np.testing.assert_allclose(measure(moved), measure(disk), atol=1e-6)
    np.testing.assert_allclose(boldness(image(X > 0)), 20 / 41)
    np.testing.assert_allclose(boldness(np.full((2, 3, 3, 3), 51, np.uint8)), [0.2, 0.2])


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_black_images_have_a_finite_value(name):
    assert np.isfinite(ATTRIBUTES[name](np.zeros((2, 5, 5, 1), np.uint8))).all()

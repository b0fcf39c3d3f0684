"""PSNR against closed forms and the published values of bicubic upsampling."""

import numpy as np
import pytest
from super_resolution import bicubic_pairs
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics.luminance import check_pairs, luminance
from gan_jax.metrics.psnr import masked_l1, masked_psnr, psnr

RANDOM = np.random.default_rng(0)
A, B = RANDOM.integers(0, 256, (2, 3, 12, 10, 3)).astype(np.uint8)
PLAIN = {"luminance": False, "border": 0}


def one_color(*rgb, size=10):
    return np.broadcast_to(np.array(rgb, np.uint8), (1, size, size, len(rgb)))


@pytest.mark.parametrize("error", [1, 5, 25, 255])
def test_psnr_of_a_constant_error_is_20_log10_of_255_over_it(error):
    found = psnr(one_color(error), one_color(0), **PLAIN)
    np.testing.assert_allclose(found, [20 * np.log10(255 / error)], rtol=1e-12)


@pytest.mark.parametrize(
    ("rgb", "y"), [((0, 0, 0), 16), ((255, 255, 255), 235), ((255, 0, 0), 81.481), ((0, 255, 0), 144.553)]
)
def test_luminance_is_that_of_matlab(rgb, y):
    np.testing.assert_allclose(luminance(one_color(*rgb)), y, rtol=1e-12)


def test_gray_images_are_compared_as_they_are():
    gray = A[..., :1]
    np.testing.assert_array_equal(luminance(gray), gray)
    np.testing.assert_array_equal(psnr(gray, B[..., :1], luminance=True, border=0), psnr(gray, B[..., :1], **PLAIN))


def test_gray_colors_gain_the_range_of_luminance():
    """Y has the range 219 where 8-bit values have 255, and PSNR is of the peak 255 for both."""
    gray, other = (np.repeat(x[..., :1], 3, axis=3) for x in (A, B))
    gain = psnr(gray, other, luminance=True, border=0) - psnr(gray, other, **PLAIN)
    np.testing.assert_allclose(gain, 20 * np.log10(255 / 219), rtol=1e-9)


def test_equal_images_have_an_infinite_psnr_and_the_order_does_not_matter():
    assert np.isposinf(psnr(A, A, luminance=True, border=4)).all()
    np.testing.assert_allclose(psnr(A, B, **PLAIN), psnr(B, A, **PLAIN), rtol=1e-12)
    flipped = psnr(A[:, ::-1, ::-1], B[:, ::-1, ::-1], luminance=True, border=4)
    np.testing.assert_allclose(flipped, psnr(A, B, luminance=True, border=4), rtol=1e-12)


@pytest.mark.parametrize("border", [0, 1, 4])
def test_border_of_pixels_is_left_off(border):
    other = A.copy()
    other[:, border : 12 - border, border : 10 - border] = B[:, border : 12 - border, border : 10 - border]
    inside = psnr(A, B, luminance=True, border=border)
    np.testing.assert_array_equal(psnr(A, other, luminance=True, border=border), inside)
    other[:, border, border] ^= 255
    assert (psnr(A, other, luminance=True, border=border) != inside).all()


@pytest.mark.parametrize(("name", "published"), [("set5", 28.43), ("set14", 26.09)])
def test_bicubic_x4_has_its_published_psnr(test_data, name, published):
    pairs = list(bicubic_pairs(test_data("super-resolution.tar.gz"), name))
    found = [float(psnr(x, target, luminance=True, border=4)[0]) for _, x, target in pairs]
    assert np.mean(found) == pytest.approx(published, abs=0.005)


def test_masked_scores_are_those_of_the_pixels_inside():
    mask = np.zeros((3, 12, 10), bool)
    mask[:, 2:7, 3:9] = True
    hole_a, hole_b = A[:, 2:7, 3:9], B[:, 2:7, 3:9]
    np.testing.assert_allclose(masked_psnr(A, B, mask), psnr(hole_a, hole_b, **PLAIN), rtol=1e-12)
    expected = np.abs(hole_a.astype(int) - hole_b).mean(axis=(1, 2, 3)) / 255
    np.testing.assert_allclose(masked_l1(A, B, mask), expected, rtol=1e-12)
    np.testing.assert_allclose(masked_l1(one_color(255, size=4), one_color(0, size=4), np.ones((1, 4, 4), bool)), 1)


def test_invalid_input_is_refused():
    with pytest.raises(BadInput, match=r"\[3, 12, 10, 3\] and \[2, 12, 10, 3\] differ in shape"):
        check_pairs(A, B[:2])
    with pytest.raises(BadInput, match=r"not \[3, 12, 10, 2\]: convert them"):
        psnr(A[..., :2], B[..., :2], **PLAIN)
    with pytest.raises(BadInput, match="12x10 have no pixels inside a border of 5"):
        psnr(A, B, luminance=True, border=5)
    with pytest.raises(BadInput, match=r"a mask \[1, 12, 10\] for images"):
        unchecked("metrics.psnr").masked_psnr(A, B, np.ones((1, 12, 10), bool))
    with pytest.raises(BadInput, match="the mask of image 1 is empty"):
        masked_l1(A, B, np.array([1, 0, 1], bool)[:, None, None] & np.ones((3, 12, 10), bool))

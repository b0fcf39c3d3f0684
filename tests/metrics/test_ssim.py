"""SSIM against the formula as plain loops, and against scikit-image."""

import numpy as np
import pytest
from super_resolution import bicubic_pairs

from gan_jax.errors import BadInput
from gan_jax.metrics.ssim import ssim

RANDOM = np.random.default_rng(0)
A = RANDOM.integers(0, 256, (2, 24, 21, 3)).astype(np.uint8)
B = np.clip(A + 40 * RANDOM.standard_normal(A.shape), 0, 255).astype(np.uint8)
PLAIN = {"luminance": False, "border": 0}


def by_loops(a, b):
    """Computes SSIM of one plane window by window, as in the paper."""
    distance = np.arange(-5, 6)
    weights = np.exp(-(distance[:, None] ** 2 + distance[None] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2, values = (0.01 * 255) ** 2, (0.03 * 255) ** 2, []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            x, y = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            mx, my = np.sum(weights * x), np.sum(weights * y)
            sx, sy = np.sum(weights * (x - mx) ** 2), np.sum(weights * (y - my) ** 2)
            sxy = np.sum(weights * (x - mx) * (y - my))
            values.append((2 * mx * my + c1) * (2 * sxy + c2) / ((mx**2 + my**2 + c1) * (sx + sy + c2)))
    return np.mean(values)


def test_ssim_equals_the_loop_over_windows():
    expected = [np.mean([by_loops(a[..., c], b[..., c]) for c in range(3)]) for a, b in zip(A / 1, B / 1, strict=True)]
    np.testing.assert_allclose(ssim(A, B, **PLAIN), expected, rtol=1e-10)


def test_luminance_is_compared_inside_the_border():
    y = [(16 + x @ np.array([65.481, 128.553, 24.966]) / 255)[:, 4:-4, 4:-4] for x in (A, B)]
    expected = [by_loops(a, b) for a, b in zip(*y, strict=True)]
    np.testing.assert_allclose(ssim(A, B, luminance=True, border=4), expected, rtol=1e-10)


def test_ssim_equals_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    expected = [metrics.structural_similarity(a, b, channel_axis=-1, **settings) for a, b in zip(A, B, strict=True)]
    np.testing.assert_allclose(ssim(A, B, **PLAIN), expected, rtol=1e-10)


def test_ssim_is_1_for_equal_images_symmetric_and_the_same_for_flipped_pairs():
    np.testing.assert_allclose(ssim(A, A, luminance=True, border=4), 1, rtol=1e-12)
    found = ssim(A, B, luminance=True, border=4)
    assert (found > 0).all() and (found < 0.98).all()
    np.testing.assert_allclose(ssim(B, A, luminance=True, border=4), found, rtol=1e-12)
    flipped = ssim(A[:, ::-1, ::-1], B[:, ::-1, ::-1], luminance=True, border=4)
    np.testing.assert_allclose(flipped, found, rtol=1e-12)


def test_opposite_structure_is_negative():
    """A checkerboard and its inverse have one mean in every window, and covariance opposite to their variance."""
    board = (np.indices((1, 16, 16, 1)).sum(0) % 2 * 200).astype(np.uint8)
    assert ssim(board, 200 - board, **PLAIN)[0] < -0.9


def test_bicubic_x4_has_its_published_ssim(test_data):
    """0.8104 in most tables, by the bicubic filter of MATLAB; Pillow's gives 0.8111."""
    pairs = bicubic_pairs(test_data("super-resolution.tar.gz"), "set5")
    found = [float(ssim(x, target, luminance=True, border=4)[0]) for _, x, target in pairs]
    assert np.mean(found) == pytest.approx(0.8104, abs=0.001)


def test_images_smaller_than_the_window_are_refused():
    with pytest.raises(BadInput, match="24x21 with a border of 6 are too small for SSIM"):
        ssim(A, B, luminance=True, border=6)

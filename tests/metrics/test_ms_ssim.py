"""MS-SSIM against scikit-image on one scale, TensorFlow on several, and a loop over windows."""

import sys

import numpy as np
import pytest
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics.ms_ssim import WEIGHTS, mean_ms_ssim, ms_ssim, scales_for


def pairs(size, n=4, channels=1, noise=40):
    """Makes pairs of coarse noise and the same with fine noise added."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 255, (n, -(-size // 4), -(-size // 4), channels))
    a = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :size, :size]
    b = a + noise * rng.normal(size=a.shape)
    return a.astype(np.uint8), np.clip(b, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "side, scales",
    [(11, 1), (21, 1), (22, 2), (28, 2), (43, 2), (44, 3), (64, 3), (128, 4), (176, 5), (999, 5)],
)
def test_window_fits_into_every_scale(side, scales):
    assert scales_for(side, side) == scales_for(side, 1000) == scales_for(1000, side) == scales
    assert side >> (scales - 1) >= 11
    assert scales == 5 or side >> scales < 11


@pytest.mark.parametrize("size, channels", [(16, 1), (21, 3)])
def test_one_scale_equals_scikit_image(size, channels):
    metrics = pytest.importorskip("skimage.metrics")
    a, b = pairs(size, channels=channels)
    expected = [
        metrics.structural_similarity(
            x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1
        )
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(ms_ssim(a, b), expected, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("size, channels", [(32, 3), (64, 1), (176, 3)])
def test_several_scales_equal_tensorflow(size, channels):
    tf = pytest.importorskip("tensorflow")
    a, b = pairs(size, channels=channels)
    weights = np.array(WEIGHTS[: scales_for(size, size)])
    expected = tf.image.ssim_multiscale(a, b, max_val=255, power_factors=list(weights / weights.sum()))
    assert 0.1 < expected.numpy().min() < expected.numpy().max() < 0.98
    np.testing.assert_allclose(ms_ssim(a, b), expected, rtol=1e-4)


def windowed(a, b):
    """Computes MS-SSIM of one gray pair window by window, as in the paper."""
    distance = np.arange(-5, 6)
    window = np.exp(-(distance[:, None] ** 2 + distance[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    a, b = a.astype(np.float64), b.astype(np.float64)
    weights = np.array(WEIGHTS[: scales_for(*a.shape)])
    result = 1
    for scale, weight in enumerate(weights / weights.sum()):
        values = []
        for i in range(a.shape[0] - 10):
            for j in range(a.shape[1] - 10):
                x, y = (image[i : i + 11, j : j + 11] for image in (a, b))
                mean_x, mean_y = np.sum(window * x), np.sum(window * y)
                var_x, var_y = np.sum(window * (x - mean_x) ** 2), np.sum(window * (y - mean_y) ** 2)
                covariance = np.sum(window * (x - mean_x) * (y - mean_y))
                value = (2 * covariance + 7.65**2) / (var_x + var_y + 7.65**2)
                if scale == len(weights) - 1:
                    value *= (2 * mean_x * mean_y + 2.55**2) / (mean_x**2 + mean_y**2 + 2.55**2)
                values.append(value)
        result *= max(np.mean(values), 0) ** weight
        rows, columns = (side // 2 * 2 for side in a.shape)
        a, b = (
            (x[0:rows:2, 0:columns:2] + x[1:rows:2, 0:columns:2] + x[0:rows:2, 1:columns:2] + x[1:rows:2, 1:columns:2])
            / 4
            for x in (a, b)
        )
    return result


@pytest.mark.parametrize("height, width", [(28, 28), (45, 49), (23, 60)])
def test_ms_ssim_equals_the_loop_at_odd_sizes(height, width):
    a, b = (x[:2, :height, :width] for x in pairs(64))
    np.testing.assert_allclose(ms_ssim(a, b), [windowed(x[..., 0], y[..., 0]) for x, y in zip(a, b, strict=True)])


def test_equal_images_give_1_and_negatives_0():
    a, _ = pairs(32, channels=3)
    np.testing.assert_allclose(ms_ssim(a, a), 1, rtol=1e-12)
    np.testing.assert_array_equal(ms_ssim(a, 255 - a), 0)
    flat = np.full((1, 32, 32, 1), 7, np.uint8)
    np.testing.assert_allclose(ms_ssim(flat, flat), 1, rtol=1e-12)


def test_channels_are_averaged_and_pairs_are_independent(monkeypatch):
    a, b = pairs(32, n=5, channels=3)
    each = np.stack([ms_ssim(a[..., i : i + 1], b[..., i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(ms_ssim(a, b), each.mean(axis=0))
    whole = ms_ssim(a, b)
    monkeypatch.setattr(sys.modules[ms_ssim.__module__], "VALUES", 2 * 32 * 32 * 3)
    np.testing.assert_allclose(ms_ssim(a, b), whole, rtol=1e-12)
    np.testing.assert_allclose(ms_ssim(b, a), whole, rtol=1e-12)


def test_similarity_decreases_with_noise():
    values = [ms_ssim(*pairs(64, noise=noise)).mean() for noise in (0, 10, 40, 160)]
    assert values == sorted(values, reverse=True)


def test_mean_is_over_pairs_of_different_images():
    """Two images form one pair; pairs of equal images give 1."""
    a, _ = pairs(28, n=2)
    assert tuple(mean_ms_ssim(a, 10)) == pytest.approx((float(ms_ssim(a[:1], a[1:])[0]), 0))
    assert tuple(mean_ms_ssim(a[[0, 0, 0]], 5)) == pytest.approx((1, 0))


def test_error_of_two_pairs_is_half_their_difference():
    a, _ = pairs(28, n=3)
    values = ms_ssim(a[[0, 0, 1]], a[[1, 2, 2]])
    mean, error = mean_ms_ssim(a, 2, seed=2)
    assert error > 0
    for value in (mean - error, mean + error):
        assert np.min(np.abs(values - value)) < 1e-12


def test_mean_of_many_pairs_approaches_the_mean_of_all():
    a, _ = pairs(28, n=12)
    i, j = np.triu_indices(12, k=1)
    exact = ms_ssim(a[i], a[j])
    few, many = mean_ms_ssim(a, 30), mean_ms_ssim(a, 2000)
    assert abs(many.value - exact.mean()) < 4 * many.error < 0.05
    assert many.error == pytest.approx(exact.std() / np.sqrt(2000), rel=0.1)
    assert mean_ms_ssim(a, 30) == few != mean_ms_ssim(a, 30, seed=1)


def test_invalid_input_is_refused():
    a, b = pairs(10)
    with pytest.raises(BadInput, match="10x10 are too small for MS-SSIM: give at least 11 pixels"):
        ms_ssim(a, b)
    a, b = pairs(28)
    with pytest.raises(BadInput, match=r"\[4, 28, 28, 1\] and \[1, 28, 28, 1\] differ in shape"):
        unchecked("metrics.ms_ssim").ms_ssim(a, b[:1])
    with pytest.raises(BadInput, match="5 pairs of 1 images"):
        mean_ms_ssim(a[:1], 5)
    with pytest.raises(BadInput, match="1 pairs of 4 images"):
        mean_ms_ssim(a, 1)

"""The Gaussian pyramid against sums over the kernel, pixel by pixel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.nets.layers import pyramid

W = np.array([1, 4, 6, 4, 1]) / 16

down, up = jax.jit(pyramid.down), jax.jit(pyramid.up)
gaussian_pyramid = jax.jit(pyramid.gaussian_pyramid, static_argnums=1)

SHAPES = [(2, 14, 14, 1), (2, 8, 8, 3), (1, 4, 10, 2), (1, 2, 2, 1)]


def images(shape, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(np.float32)


def plain_down(x):
    """REDUCE: each pixel is the weighted sum of the 5 x 5 pixels around twice its position."""
    b, h, w, c = x.shape
    out = np.zeros((b, h // 2, w // 2, c))
    for i, j in np.ndindex(h // 2, w // 2):
        for m, n in np.ndindex(5, 5):
            row, column = np.clip(2 * i + m - 2, 0, h - 1), np.clip(2 * j + n - 2, 0, w - 1)
            out[:, i, j] += W[m] * W[n] * x[:, row, column]
    return out


def plain_up(x):
    """EXPAND: each pixel is four times the weighted sum of the small image's pixels among the 5 x 5 around it."""
    b, h, w, c = x.shape
    out = np.zeros((b, 2 * h, 2 * w, c))
    for i, j in np.ndindex(2 * h, 2 * w):
        for m, n in np.ndindex(5, 5):
            row, column = i + m - 2, j + n - 2
            if row % 2 == column % 2 == 0:
                out[:, i, j] += 4 * W[m] * W[n] * x[:, np.clip(row // 2, 0, h - 1), np.clip(column // 2, 0, w - 1)]
    return out


@pytest.mark.parametrize("shape", SHAPES)
def test_down_and_up_equal_plain_loops(shape):
    x = images(shape)
    np.testing.assert_allclose(down(jnp.asarray(x)), plain_down(x), atol=1e-6)
    np.testing.assert_allclose(up(jnp.asarray(x)), plain_up(x), atol=1e-6)


def test_up_accepts_a_single_pixel_and_odd_sizes():
    for shape in ((1, 1, 1, 1), (2, 7, 5, 3)):
        x = images(shape)
        np.testing.assert_allclose(up(jnp.asarray(x)), plain_up(x), atol=1e-6)


def test_constant_image_stays_constant_at_the_borders():
    x = jnp.full((1, 8, 8, 1), 0.7)
    for same in (down(x), up(x)):
        np.testing.assert_allclose(same, 0.7, rtol=1e-6)


def test_up_interpolates_ramps_linearly_inside():
    ramp = jnp.broadcast_to(jnp.arange(8.0)[None, :, None, None], (1, 8, 8, 1))
    np.testing.assert_allclose(up(ramp)[0, 1:-2, 0, 0], np.arange(16)[1:-2] / 2, atol=1e-6)


def test_gaussian_pyramid_lists_repeated_halves_coarse_to_fine():
    x = images((2, 12, 8, 2))
    middle = plain_down(x)
    for got, expected in zip(gaussian_pyramid(jnp.asarray(x), 2), (plain_down(middle), middle, x), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_down_keeps_the_range_and_channels_are_independent():
    x = jnp.asarray(images((2, 8, 8, 2)))
    assert jnp.abs(down(x)).max() <= jnp.abs(x).max()
    np.testing.assert_array_equal(down(x)[..., :1], down(x[..., :1]))
    np.testing.assert_array_equal(up(x)[..., 1:], up(x[..., 1:]))


def test_up_is_four_times_the_transpose_of_down_inside():
    small = jnp.zeros((1, 4, 4, 1)).at[:, 1:3, 1:3].set(images((1, 2, 2, 1)))
    _, transpose = jax.vjp(down, jnp.zeros((1, 8, 8, 1)))
    np.testing.assert_allclose(4 * transpose(small)[0], up(small), atol=1e-6)


def test_odd_sizes_are_refused():
    with pytest.raises(BadInput, match="7x7 cannot be halved"):
        down(jnp.ones((1, 7, 7, 1)))
    with pytest.raises(BadInput, match="7x7 cannot be halved"):
        gaussian_pyramid(jnp.ones((1, 28, 28, 1)), 3)

"""Pixel shuffle against its definition; fused resizing convolutions against resizing and convolution."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.resampling import DownConv, UpConv, average_pool, pixel_shuffle, pixel_unshuffle, upsample

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
KEY = jax.random.key(0)


def images(*shape):
    return jax.random.normal(KEY, (3, *shape))


@pytest.mark.parametrize("r", [2, 3])
def test_pixel_shuffle_equals_its_definition(r):
    x = np.arange(2 * 2 * 3 * 5 * r**2, dtype=np.float32).reshape(2, 2, 3, 5 * r**2)
    y = np.asarray(pixel_shuffle(jnp.asarray(x), r))
    assert y.shape == (2, 2 * r, 3 * r, 5)
    for b, h, w, c, i, j in np.ndindex(2, 2, 3, 5, r, r):
        assert y[b, h * r + i, w * r + j, c] == x[b, h, w, c * r**2 + i * r + j]
    np.testing.assert_array_equal(pixel_unshuffle(jnp.asarray(y), r), x)


@pytest.mark.slow  # imports PyTorch
def test_pixel_shuffle_equals_pytorch():
    torch = pytest.importorskip("torch")
    x = images(4, 2, 12)
    theirs = torch.nn.PixelShuffle(2)(torch.tensor(np.moveaxis(x, 3, 1)))
    np.testing.assert_array_equal(pixel_shuffle(x, 2), theirs.numpy().transpose(0, 2, 3, 1))


def test_upsampling_convolution_equals_upsampling_then_convolution():
    x = images(5, 5, 2)
    wide = np.asarray(x).repeat(2, axis=1).repeat(2, axis=2)

    @jax.jit
    def run(x, wide):
        y, variables = UpConv(3).init_with_output(KEY, x)
        return upsample(x), y, Conv(3).apply(variables, wide)

    upsampled, y, expected = run(x, wide)
    close(upsampled, wide)
    close(y, expected)


def test_pooled_convolution_equals_convolution_then_pooling():
    @jax.jit
    def run(x):
        y, variables = DownConv(3).init_with_output(KEY, x)
        return average_pool(x), y, Conv(3).apply(variables, x)

    x = images(6, 6, 2)
    by_hand = lambda x: np.asarray(x).reshape(3, 3, 2, 3, 2, -1).mean((2, 4))  # noqa: E731
    pooled, y, plain = run(x)
    close(pooled, by_hand(x))
    close(y, by_hand(plain))


def test_upsampling_convolution_of_a_constant_has_no_checkerboard_but_a_transposed_one_has():
    def spread(layer):
        y, _ = layer.init_with_output(KEY, jnp.ones((1, 6, 6, 2)))
        return jnp.std(y[:, 2:-2, 2:-2], axis=(1, 2)).max()

    flat, checkered = jax.jit(lambda: (spread(UpConv(3)), spread(ConvTranspose(3, stride=2))))()
    assert flat < 1e-5 < 0.01 < checkered

"""Resampling with a blur against a slow reference in numpy, at even and odd sizes, and its second derivatives."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gan_jax.nets.layers import blur
from gan_jax.nets.layers.convolution import LAYOUT, conv

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
RANDOM = np.random.RandomState(0)


def draw(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def upfirdn(x, up=1, down=1, pads=(0, 0)):
    """Inserts zeros, pads, filters in two dimensions with gain `up^2`, and keeps every `down`-th pixel."""
    b, h, w, c = x.shape
    wide = np.zeros((b, h * up, w * up, c))
    wide[:, ::up, ::up] = x
    wide = np.pad(wide, ((0, 0), pads, pads, (0, 0)))
    h, w = wide.shape[1] - 3, wide.shape[2] - 3
    y = sum(FILTER[i, j] * wide[:, i : i + h, j : j + w] for i in range(4) for j in range(4))
    return up**2 * y[:, ::down, ::down]


def correlate(x, kernel, stride=1):
    """Computes a convolution without a border."""
    h, w = x.shape[1] - 2, x.shape[2] - 2
    y = sum(x[:, i : i + h, j : j + w] @ kernel[i, j] for i in range(3) for j in range(3))
    return y[:, ::stride, ::stride]


def spread(x):
    """Inserts a zero between every two pixels, and two at every edge."""
    b, h, w, c = x.shape
    wide = np.zeros((b, 2 * h + 3, 2 * w + 3, c))
    wide[:, 2:-2:2, 2:-2:2] = x
    return wide


@pytest.mark.parametrize("shape", [(6, 4), (7, 5), (4, 7), (1, 2)])
def test_resampling_equals_the_reference(shape):
    """The program of the authors pads 2 and 1 zeros to upsample, 1 and 1 to downsample."""
    x = draw(2, *shape, 3)
    up, down = jax.jit(lambda x: (blur.upsample(x), blur.downsample(x)))(x)
    close(up, upfirdn(x, up=2, pads=(2, 1)))
    close(down, upfirdn(x, down=2, pads=(1, 1)))


@pytest.mark.parametrize("shape", [(6, 4), (7, 5)])
def test_fused_convolutions_equal_the_reference(shape):
    """It pads 2 zeros before a convolution of stride 2, and 1 after a transposed one."""
    x, kernel = draw(2, *shape, 3), draw(3, 3, 3, 2)
    up, down = jax.jit(lambda x, kernel: (blur.upsampling_conv(x, kernel), blur.downsampling_conv(x, kernel)))(
        x, kernel
    )
    assert up.shape == (2, 2 * shape[0], 2 * shape[1], 2) and down.shape == (2, shape[0] // 2, shape[1] // 2, 2)
    close(up, 4 * upfirdn(correlate(spread(x), kernel), pads=(1, 1)))
    close(down, correlate(upfirdn(x, pads=(2, 2)), kernel, stride=2))


def test_upsampling_convolution_is_a_convolution_of_upsampled_images_away_from_the_edges():
    x, kernel = draw(2, 5, 5, 3), draw(3, 3, 3, 2)
    fused, plain = jax.jit(lambda x, k: (blur.upsampling_conv(x, k), conv(blur.upsample(x), k)))(x, kernel)
    close(fused[:, 2:-2, 2:-2], plain[:, 2:-2, 2:-2])


def depthwise(x, pads):
    """Blurs with the library's convolution."""
    kernel = jnp.broadcast_to(jnp.asarray(FILTER, jnp.float32)[..., None, None], (4, 4, 1, x.shape[-1]))
    padding = (pads, pads)
    return lax.conv_general_dilated(
        x, kernel, (1, 1), padding, dimension_numbers=LAYOUT, feature_group_count=x.shape[-1]
    )


def library_up(x, kernel):
    wide = lax.conv_transpose(x, kernel, (2, 2), "VALID", dimension_numbers=LAYOUT)
    return 4 * depthwise(wide, (1, 1))


def library_down(x, kernel):
    return lax.conv_general_dilated(depthwise(x, (2, 2)), kernel, (2, 2), "VALID", dimension_numbers=LAYOUT)


@pytest.mark.medium
@pytest.mark.parametrize(
    ("ours", "theirs"), [(blur.upsampling_conv, library_up), (blur.downsampling_conv, library_down)]
)
def test_second_derivatives_equal_the_library(ours, theirs):
    """The gradient of a gradient penalty, by the kernel and the images."""

    def penalty(convolve, kernel, x):
        slope = jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(x, kernel))))(x)
        return jnp.sum(jnp.square(slope))

    got, expected = jax.jit(lambda *args: [jax.grad(partial(penalty, f), (0, 1))(*args) for f in (ours, theirs)])(
        draw(3, 3, 2, 2), draw(2, 5, 4, 2)
    )
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-3), got, expected)

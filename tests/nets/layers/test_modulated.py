"""Modulated convolution against a kernel for every example, in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.nets.layers.blur import upsampling_conv
from gan_jax.nets.layers.convolution import conv
from gan_jax.nets.layers.modulated import ModulatedConv

RANDOM = np.random.RandomState(0)


def draw(*shape):
    return jnp.asarray(RANDOM.normal(size=shape), jnp.float32)


def by_example(kernel, styles, demodulate):
    """Computes the kernel of each example in loops, eq. 1 and 3."""
    kernels = []
    for s in styles:
        own = np.array(kernel, np.float64)
        for i, scale in enumerate(s):
            own[:, :, i] *= scale
        if demodulate:
            for j in range(own.shape[3]):
                own[..., j] /= np.sqrt(np.sum(own[..., j] ** 2) + 1e-8)
        kernels.append(own.astype(np.float32))
    return kernels


@pytest.mark.parametrize(("up", "demodulate"), [(False, True), (True, True), (False, False)])
def test_one_kernel_for_all_examples_equals_a_kernel_for_each(up, demodulate):
    layer, x, styles = ModulatedConv(4, up=up, demodulate=demodulate), draw(3, 5, 4, 2), draw(3, 2)
    params = {"kernel": draw(3, 3, 2, 4), "bias": draw(4)}
    convolve = jax.jit(upsampling_conv if up else conv)
    expected = [
        convolve(x[b : b + 1], kernel) + params["bias"].reshape(1, 1, 1, 4)
        for b, kernel in enumerate(by_example(params["kernel"], styles, demodulate))
    ]
    got = jax.jit(layer.apply)({"params": params}, x, styles)
    assert got.shape == ((3, 10, 8, 4) if up else (3, 5, 4, 4))
    np.testing.assert_allclose(got, np.concatenate(expected), rtol=1e-4, atol=1e-5)


def test_demodulated_outputs_do_not_depend_on_the_size_of_styles_and_have_unit_variance():
    layer, x, styles = ModulatedConv(8), draw(4, 16, 16, 32), draw(4, 32)
    params = {"kernel": draw(3, 3, 32, 8), "bias": jnp.zeros(8)}
    small, large = jax.jit(lambda s: [layer.apply({"params": params}, x, scale * s) for scale in (0.1, 10.0)])(styles)
    np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(np.std(large[:, 1:-1, 1:-1]), 1, rtol=0.1)

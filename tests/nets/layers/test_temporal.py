"""Convolutions of sequences equal flax, and sums written by hand, in both implementations."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_jax.nets.layers import convolution
from gan_jax.nets.layers.temporal import Conv1d, ConvTranspose1d, conv, conv_transpose

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4)

# T, C_in, C_out, k, stride, dilation: strides that divide neither T nor k, and are above k.
CONVOLUTIONS = [(13, 2, 3, 25, 4, 1), (9, 3, 2, 4, 1, 3), (7, 1, 2, 1, 2, 1)]
TRANSPOSED = [(3, 2, 3, 25, 4), (5, 3, 1, 4, 1), (3, 2, 2, 2, 3)]


def draw(*shape, seed=0):
    return jax.random.normal(jax.random.key(seed), shape)


@pytest.mark.parametrize("products", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_layers_equal_flax(products, monkeypatch):
    """Compares parameters, values and gradients, all in one program."""
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)

    def layers():
        for n, c_in, c_out, k, stride, dilation in CONVOLUTIONS:
            theirs = nn.Conv(c_out, (k,), strides=(stride,), kernel_dilation=(dilation,))
            yield (2, n, c_in), (Conv1d(c_out, k, stride, dilation), theirs)
        for n, c_in, c_out, k, stride in TRANSPOSED:
            yield (2, n, c_in), (ConvTranspose1d(c_out, k, stride), nn.ConvTranspose(c_out, (k,), (stride,)))

    def init_and_gradients(layer, key, x):
        variables = layer.init(key, x)
        y, vjp = jax.vjp(layer.apply, variables, x)
        return variables, y, vjp(jnp.cos(y))

    @jax.jit
    def run(key):
        return [[init_and_gradients(layer, key, draw(*shape)) for layer in pair] for shape, pair in layers()]

    for (_, pair), (got, expected) in zip(layers(), run(jax.random.key(1)), strict=True):
        jax.tree.map(np.testing.assert_array_equal, got[0], expected[0])
        jax.tree.map(partial(close, err_msg=str(pair[0])), got[1:], expected[1:])


def test_sums_by_hand():
    """Every output is a sum over a window around its place, here with half of the padding on each side."""
    x, kernel = np.arange(1.0, 9, dtype=np.float32), np.float32([1, 10, 100])

    def run(stride, dilation=1):
        return conv(jnp.asarray(x)[None, :, None], jnp.asarray(kernel)[:, None, None], stride, dilation)[0, :, 0]

    padded = np.pad(x, 3)
    np.testing.assert_array_equal(run(1, 3), padded[:8] + 10 * padded[3:11] + 100 * padded[6:])
    padded = np.pad(x, (0, 1))  # three samples of kernel at stride 2 need one zero, which is at the end
    np.testing.assert_array_equal(run(2), padded[0:8:2] + 10 * padded[1:9:2] + 100 * padded[2::2])


@pytest.mark.parametrize("products", [True, False])
def test_transposed_convolutions_to_a_length_are_transposes(products, monkeypatch):
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)
    cases = [(25, 4, 13), (3, 2, 7), (2, 3, 11)]

    @jax.jit
    def run(seed):
        pairs = []
        for k, stride, length in cases:
            x, kernel = draw(2, 4, 3, seed=seed), draw(k, 3, 2, seed=seed + 1)
            there = partial(conv, kernel=kernel[::-1].swapaxes(1, 2), stride=stride)
            (expected,) = jax.linear_transpose(there, jax.ShapeDtypeStruct((2, length, 2), jnp.float32))(x)
            pairs.append((conv_transpose(x, kernel, stride, length), expected))
        return pairs

    for case, (got, expected) in zip(cases, run(0), strict=True):
        close(got, expected, err_msg=str(case))


def test_gradient_penalties_equal_those_of_the_library(monkeypatch):
    """Second derivatives, by the kernel, as WGAN-GP takes them."""

    def slope(kernel, x, convolve):
        return jnp.sum(jnp.square(jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(x, kernel, 4))))(x)))

    def gradients(products):
        monkeypatch.setattr(convolution, "products_are_faster", lambda: products)
        run = lambda kernel, x: [jax.grad(slope)(kernel, x, each) for each in (conv, conv_transpose)]  # noqa: E731
        return jax.jit(run)(draw(7, 2, 2, seed=1), draw(2, 8, 2))

    jax.tree.map(close, gradients(True), gradients(False))


def test_unsupported_geometry_is_refused():
    with pytest.raises(ValueError, match="stride 2 and dilation 3 are not supported together"):
        conv(jnp.ones((1, 8, 1)), jnp.ones((3, 1, 1)), 2, 3)
    with pytest.raises(ValueError, match="stride 4 maps 17 to another length than 4"):
        conv_transpose(jnp.ones((1, 4, 1)), jnp.ones((25, 1, 1)), 4, 17)


@pytest.mark.parametrize("layer", [Conv1d(2, 25, 4), Conv1d(2, dilation=2), ConvTranspose1d(2, 25, 4)])
def test_cpu_layers_and_gradients_contain_no_lax_convolution(layer):
    x = jax.ShapeDtypeStruct((2, 8, 3), jnp.float32)
    variables = jax.eval_shape(layer.init, jax.random.key(0), x)
    gradients = jax.make_jaxpr(jax.grad(lambda v, x: jnp.sum(layer.apply(v, x) ** 2), (0, 1)))(variables, x)
    assert "dot_general" in str(gradients) and "conv_general_dilated" not in str(gradients)


@pytest.mark.parametrize("layer", [Conv1d(3, 5, 4), ConvTranspose1d(3, 5, 4)])
def test_outputs_in_bfloat16_are_close_to_float32(layer):
    @jax.jit
    def run(key):
        x, half = draw(2, 8, 4), layer.clone(dtype=jnp.bfloat16)
        variables = layer.init(key, x)
        return half.apply(variables, x), layer.apply(variables, x)

    got, expected = run(jax.random.key(1))
    assert got.dtype == jnp.bfloat16
    np.testing.assert_allclose(got.astype(jnp.float32), expected, rtol=0.05, atol=0.05)

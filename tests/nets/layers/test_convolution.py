"""Our convolutions equal flax and lax, in both implementations and under every transformation of a step."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax
from jax.sharding import PartitionSpec as P

from gan_jax.nets.layers import convolution
from gan_jax.nets.layers.convolution import Conv, ConvTranspose, conv, conv_transpose

# height, width, C_in, C_out, k, stride: odd sizes, even kernels, few and many channels, k < stride.
SHAPES = [
    (7, 4, 3, 4, 3, 2),
    (4, 5, 4, 2, 3, 1),
    (3, 6, 2, 3, 4, 2),
    (4, 5, 4, 1, 4, 1),
    (5, 4, 1, 2, 5, 2),
    (5, 4, 2, 2, 1, 2),
    (5, 4, 2, 3, 2, 3),
]
LAYERS = [(Conv, nn.Conv), (ConvTranspose, nn.ConvTranspose)]
close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4)


def draw(*shape, seed=0):
    return jax.random.normal(jax.random.key(seed), shape)


def plain_conv(x, kernel, stride):
    return lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def plain_conv_transpose(x, kernel, stride):
    return lax.conv_transpose(x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


FUNCTIONS = [(conv, plain_conv), (conv_transpose, plain_conv_transpose)]


@pytest.mark.medium
@pytest.mark.parametrize(
    "products, shapes",
    [(True, SHAPES[::3]), pytest.param(True, SHAPES, marks=pytest.mark.slow), (False, SHAPES[:1])],
    ids=["products", "products, all shapes", "library"],
)
@pytest.mark.parametrize("ours, theirs", LAYERS)
def test_layers_equal_flax(ours, theirs, shapes, products, monkeypatch):
    """Compares parameters, values and gradients, with all shapes in one program."""
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)

    def init_and_gradients(layer, key, x, seed):
        variables = layer.init(key, x)
        y, vjp = jax.vjp(layer.apply, variables, x)
        return variables, y, vjp(draw(*y.shape, seed=seed))

    @jax.jit
    def run(key, seed):
        pairs = {}
        for h, w, c_in, c_out, k, stride in shapes:
            x = draw(2, h, w, c_in, seed=seed)
            layers = ours(c_out, k, stride), theirs(c_out, (k, k), strides=(stride, stride))
            pairs[f"{h}x{w}x{c_in} to {c_out}, kernel {k}, stride {stride}"] = [
                init_and_gradients(layer, key, x, seed + 1) for layer in layers
            ]
        return pairs

    for name, (got, expected) in run(jax.random.key(1), 0).items():
        jax.tree.map(np.testing.assert_array_equal, got[0], expected[0])
        jax.tree.map(partial(close, err_msg=name), got[1:], expected[1:])


@pytest.mark.parametrize("products", [True, False])
def test_transposed_convolution_to_a_given_size_is_a_transpose(products, monkeypatch):
    """It equals the transpose of lax's convolution of images of that size, odd sides included."""
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)
    cases = [(5, 2, (7, 8)), (4, 2, (8, 7)), (3, 2, (7, 7)), (3, 3, (10, 11)), (3, 1, (4, 4))]

    @jax.jit
    def run(x, kernels):
        pairs = []
        for (_, stride, size), kernel in zip(cases, kernels, strict=True):
            there = jnp.swapaxes(kernel[::-1, ::-1], 2, 3)
            images = jax.ShapeDtypeStruct((2, *size, 2), jnp.float32)
            (expected,) = jax.linear_transpose(partial(plain_conv, kernel=there, stride=stride), images)(x)
            pairs.append((conv_transpose(x, kernel, stride, size), expected))
        return pairs

    pairs = run(draw(2, 4, 4, 3), [draw(k, k, 3, 2, seed=1) for k, *_ in cases])
    for case, (got, expected) in zip(cases, pairs, strict=True):
        close(got, expected, err_msg=str(case))


@pytest.mark.parametrize("products", [True, False])
def test_transposed_convolution_with_a_border_is_a_transpose(products, monkeypatch):
    """Of lax's convolution of the smallest images that have this many outputs."""
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)
    cases = [(3, 2, 0), (4, 2, 1), (2, 3, 0)]

    @jax.jit
    def run(x, kernels):
        pairs = []
        for (k, stride, border), kernel in zip(cases, kernels, strict=True):
            there = jnp.swapaxes(kernel[::-1, ::-1], 2, 3)
            size = tuple((n - 1) * stride + k - 2 * border for n in x.shape[1:3])
            images = jax.ShapeDtypeStruct((2, *size, 2), jnp.float32)
            (expected,) = jax.linear_transpose(lambda x, s=stride, b=border, t=there: conv(x, t, s, b), images)(x)
            pairs.append((conv_transpose(x, kernel, stride, border=border), expected))
        return pairs

    pairs = run(draw(2, 4, 3, 3), [draw(k, k, 3, 2, seed=1) for k, *_ in cases])
    for case, (got, expected) in zip(cases, pairs, strict=True):
        close(got, expected, err_msg=str(case))


def test_transposed_size_inconsistent_with_the_stride_is_refused():
    with pytest.raises(ValueError, match=r"stride 2 maps \(9, 9\) to another size than \(4, 4\)"):
        ConvTranspose(2, stride=2, size=9).init(jax.random.key(0), draw(2, 4, 4, 3))


@pytest.mark.medium
@pytest.mark.parametrize("c_in, c_out", [(1, 3), (3, 2)])
def test_large_kernels_are_gathered_by_axes_and_equal_lax(c_in, c_out):
    """9 x 9 pixels: values and both gradients, and fewer copies than the 81 of a window."""
    x, kernel = draw(2, 5, 8, c_in), draw(9, 9, c_in, c_out, seed=1)

    def with_gradients(convolve, x, kernel):
        y, vjp = jax.vjp(partial(convolve, stride=1), x, kernel)
        return y, vjp(jnp.cos(y))

    got, expected = jax.jit(lambda *args: [with_gradients(f, *args) for f in (conv, plain_conv)])(x, kernel)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-3), got, expected)
    assert str(jax.make_jaxpr(jax.grad(lambda *args: conv(*args).sum(), (0, 1)))(x, kernel)).count("slice") < 81


@pytest.mark.medium
@pytest.mark.parametrize("products", [True, False])
def test_borders_equal_padding_before_a_convolution_without_border(products, monkeypatch):
    """With more and with fewer output than input channels."""
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)
    # border, its mode and pixels, C_in, k, stride, C_out
    cases = [
        ("REFLECT", "reflect", 1, 3, 3, 1, 2),
        ("REFLECT", "reflect", 3, 1, 7, 1, 3),
        (1, "constant", 1, 3, 4, 1, 2),
        (1, "constant", 1, 2, 4, 2, 3),
    ]

    def by_hand(x, kernel, mode, pixels, stride):
        x = jnp.pad(x, ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0)), mode)
        return lax.conv_general_dilated(x, kernel, (stride, stride), "VALID", dimension_numbers=convolution.LAYOUT)

    @jax.jit
    def run(seed):
        pairs = []
        for border, mode, pixels, c_in, k, stride, c_out in cases:
            x, kernel = draw(2, 5, 8, c_in, seed=seed), draw(k, k, c_in, c_out, seed=seed + 1)
            pairs.append((conv(x, kernel, stride, border), by_hand(x, kernel, mode, pixels, stride)))
        return pairs

    for case, (got, expected) in zip(cases, run(0), strict=True):
        close(got, expected, err_msg=str(case))


def penalty(convolve, kernel, x):
    """Computes a gradient penalty through a convolution."""
    slope = jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(x, kernel))))(x)
    return jnp.sum(jnp.square(slope))


@pytest.mark.medium
@pytest.mark.parametrize("ours, theirs", FUNCTIONS)
def test_second_derivatives_equal_lax(ours, theirs):
    """Reverse over reverse, then forward over both; with more and with fewer output than input channels."""

    @jax.jit
    def run(x, kernels):
        def second(convolve, kernel, stride):
            gradient = jax.grad(partial(penalty, partial(convolve, stride=stride)), (0, 1))
            return jax.jvp(lambda kernel: gradient(kernel, x), (kernel,), (jnp.cos(kernel),))

        return [
            [second(convolve, kernel, stride) for convolve in (ours, theirs)] for kernel in kernels for stride in (1, 2)
        ]

    for got, expected in run(draw(2, 5, 4, 3), [draw(3, 3, 3, c_out, seed=1) for c_out in (2, 4)]):
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-3), got, expected)


@pytest.mark.medium
@pytest.mark.parametrize("ours", [conv, conv_transpose])
def test_gradients_under_scan_vmap_and_devices_equal_plain_ones(ours):
    """Two kernels under vmap and scan, and a batch split over devices."""
    x, kernels = draw(8, 5, 4, 3), draw(2, 3, 3, 3, 2, seed=1)
    gradient = jax.grad(lambda kernel, x: jnp.sum(jnp.tanh(ours(x, kernel, 2))))

    @jax.jit
    def run(kernels, x):
        plain = jnp.stack([gradient(kernel, x) for kernel in kernels])
        scanned = lax.scan(lambda carry, kernel: (carry, gradient(kernel, x)), 0, kernels)[1]
        return plain, jax.vmap(gradient, (0, None))(kernels, x), scanned

    expected, mapped, scanned = run(kernels, x)
    close(mapped, expected)
    close(scanned, expected)

    mesh = jax.make_mesh((8,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    shards = jax.device_put(x, jax.NamedSharding(mesh, P("batch")))
    close(jax.jit(gradient)(kernels[0], shards), expected[0])

    def share(kernel, x):
        return lax.psum(gradient(kernel, x), "batch")

    sharded = jax.shard_map(share, mesh=mesh, in_specs=(P(), P("batch")), out_specs=P(), check_vma=False)
    close(jax.jit(sharded)(kernels[0], x), expected[0])


@pytest.mark.parametrize("ours, theirs", LAYERS)
def test_bfloat16_output_is_close_to_float32(ours, theirs):
    @jax.jit
    def run(key, x):
        variables = theirs(3, (3, 3)).init(key, x)
        return ours(3, dtype=jnp.bfloat16).apply(variables, x), theirs(3, (3, 3)).apply(variables, x)

    got, expected = run(jax.random.key(1), draw(2, 6, 6, 4))
    assert got.dtype == jnp.bfloat16
    np.testing.assert_allclose(got.astype(jnp.float32), expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    "layer", [Conv(2), Conv(4, border="REFLECT"), Conv(2, 4, border=1), ConvTranspose(2, stride=2)]
)
def test_cpu_layers_and_gradients_contain_no_lax_convolution(layer):
    """lax convolutions are slow on CPU; the layers use matrix products."""
    x = jax.ShapeDtypeStruct((2, 6, 6, 3), jnp.float32)
    variables = jax.eval_shape(layer.init, jax.random.key(0), x)
    gradients = jax.make_jaxpr(jax.grad(lambda v, x: jnp.sum(layer.apply(v, x) ** 2), (0, 1)))(variables, x)
    assert "dot_general" in str(gradients) and "conv_general_dilated" not in str(gradients)

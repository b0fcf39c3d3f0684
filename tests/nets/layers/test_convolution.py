"""Our convolutions against flax's and lax's, in both forms and under every transformation that a step applies."""

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

# height, width, C_in, C_out, k, stride: odd sizes, even kernels, few and many channels, kernels smaller than strides.
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


@pytest.mark.parametrize("products, shape", [*((True, shape) for shape in SHAPES), (False, SHAPES[0])], ids=str)
@pytest.mark.parametrize("ours, theirs", LAYERS)
def test_layer_equals_flax(ours, theirs, shape, products, monkeypatch):
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)
    h, w, c_in, c_out, k, stride = shape
    ours = ours(c_out, k, stride)
    theirs = theirs(c_out, (k, k), strides=(stride, stride))
    x = draw(2, h, w, c_in)
    variables = theirs.init(jax.random.key(1), x)
    jax.tree.map(np.testing.assert_array_equal, ours.init(jax.random.key(1), x), variables)

    # Unoptimised, each of these many programs compiles in half the time.
    @partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
    def value_and_gradients(layer, variables, x):
        y, vjp = jax.vjp(layer.apply, variables, x)
        return y, vjp(draw(*y.shape, seed=2))

    jax.tree.map(close, value_and_gradients(ours, variables, x), value_and_gradients(theirs, variables, x))


@pytest.mark.parametrize("products", [True, False])
@pytest.mark.parametrize(
    "k, stride, size", [(5, 2, (7, 8)), (4, 2, (8, 7)), (3, 2, (7, 7)), (3, 3, (10, 11)), (3, 1, (4, 4))]
)
def test_transposed_to_a_size(k, stride, size, products, monkeypatch):
    """The transpose of the library's convolution of images of that size, whose side may be odd."""
    monkeypatch.setattr(convolution, "products_are_faster", lambda: products)
    x, kernel = draw(2, 4, 4, 3), draw(k, k, 3, 2, seed=1)
    there = jnp.swapaxes(kernel[::-1, ::-1], 2, 3)
    plain = lambda y: PLAIN[conv](y, there, stride)  # noqa: E731
    (expected,) = jax.linear_transpose(plain, jax.ShapeDtypeStruct((2, *size, 2), jnp.float32))(x)
    close(conv_transpose(x, kernel, stride, size), expected)


def test_a_size_that_no_convolution_comes_from():
    with pytest.raises(ValueError, match=r"stride 2 does not make \(4, 4\) of \(9, 9\)"):
        ConvTranspose(2, stride=2, size=9).init(jax.random.key(0), draw(2, 4, 4, 3))


def penalty(convolve, kernel, x):
    """A gradient penalty through a convolution: its gradient is a gradient of a gradient."""
    slope = jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(x, kernel))))(x)
    return jnp.sum(jnp.square(slope))


PLAIN = {
    conv: lambda x, kernel, stride: lax.conv_general_dilated(
        x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    ),
    conv_transpose: lambda x, kernel, stride: lax.conv_transpose(
        x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    ),
}


@pytest.mark.parametrize("c_out", [2, 4])  # either side of the product
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("ours", PLAIN)
def test_second_derivatives(ours, stride, c_out):
    x, kernel = draw(2, 5, 4, 3), draw(3, 3, 3, c_out, seed=1)
    direction = draw(*kernel.shape, seed=2)

    def seconds(convolve):
        gradient = jax.grad(partial(penalty, partial(convolve, stride=stride)), (0, 1))
        forward = jax.jvp(lambda kernel: gradient(kernel, x), (kernel,), (direction,))
        return gradient(kernel, x), forward

    expected = jax.jit(lambda: seconds(PLAIN[ours]))()
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-3), jax.jit(lambda: seconds(ours))(), expected)


@pytest.mark.parametrize("ours", PLAIN)
def test_under_scan_vmap_and_devices(ours):
    """Eight examples, two seeds: vmap over seeds, a scan, a sharded batch and shard_map all play the same layer."""
    x, kernels = draw(8, 5, 4, 3), draw(2, 3, 3, 3, 2, seed=1)
    gradient = jax.grad(lambda kernel, x: jnp.sum(jnp.tanh(ours(x, kernel, 2))))
    expected = jnp.stack([gradient(kernel, x) for kernel in kernels])

    close(jax.jit(jax.vmap(gradient, (0, None)))(kernels, x), expected)
    close(jax.jit(lambda: lax.scan(lambda carry, kernel: (carry, gradient(kernel, x)), 0, kernels))()[1], expected)

    mesh = jax.make_mesh((8,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    shards = jax.device_put(x, jax.NamedSharding(mesh, P("batch")))
    close(jax.jit(gradient)(kernels[0], shards), expected[0])

    def share(kernel, x):
        return lax.psum(gradient(kernel, x), "batch")

    mapped = jax.shard_map(share, mesh=mesh, in_specs=(P(), P("batch")), out_specs=P(), check_vma=False)
    close(jax.jit(mapped)(kernels[0], x), expected[0])


@pytest.mark.parametrize("ours, theirs", LAYERS)
def test_bfloat16(ours, theirs):
    x = draw(2, 6, 6, 4)
    variables = theirs(3, (3, 3)).init(jax.random.key(1), x)
    y = ours(3, dtype=jnp.bfloat16).apply(variables, x)
    assert y.dtype == jnp.bfloat16
    expected = theirs(3, (3, 3)).apply(variables, x)
    np.testing.assert_allclose(y.astype(jnp.float32), expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("layer", [Conv(2), Conv(4), ConvTranspose(2, stride=2)])
def test_no_library_convolution_on_a_cpu(layer):
    """What makes it fast: neither the layer nor its gradients hold a convolution."""
    x = draw(2, 6, 6, 3)
    variables = layer.init(jax.random.key(0), x)
    gradients = jax.make_jaxpr(jax.grad(lambda v, x: jnp.sum(layer.apply(v, x) ** 2), (0, 1)))(variables, x)
    assert "dot_general" in str(gradients) and "conv_general_dilated" not in str(gradients)

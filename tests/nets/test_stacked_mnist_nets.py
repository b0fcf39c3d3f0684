"""The unrolled GAN's networks for Stacked-MNIST: parameters, and the generator against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.nets import stacked_mnist
from gan_jax.nets.layers.minibatch import MinibatchDiscrimination
from gan_jax.nets.layers.packed import Packed


def shapes(net, *args):
    """Returns `(output, parameters)` as shapes."""
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in args]
    output, variables = jax.eval_shape(net.init_with_output, jax.random.key(0), *arguments)
    return output.shape, {name: jax.tree.map(lambda leaf: leaf.shape, p) for name, p in variables["params"].items()}


def count(params):
    return sum(np.prod(shape) for shape in jax.tree.leaves(params, is_leaf=lambda leaf: isinstance(leaf, tuple)))


@pytest.mark.parametrize("size", [28, 32])
def test_generator_has_the_papers_layers(size):
    output, params = shapes(stacked_mnist.Generator(size=size), (2, 256))
    assert output == (2, size, size, 3)
    kernels = [layer["kernel"] for name, layer in params.items() if "BatchNorm" not in name]
    assert kernels == [(3, 3, 64, 32), (3, 3, 32, 16), (3, 3, 16, 8), (3, 3, 8, 3), (256, 1024)]
    convolutions = 9 * (64 * 32 + 32 * 16 + 16 * 8 + 8 * 3) + 32 + 16 + 8 + 3
    assert count(params) == 257 * 1024 + convolutions + 2 * (64 + 32 + 16 + 8)  # batch norm


@pytest.mark.parametrize("size", [28, 32])
@pytest.mark.parametrize("width", [2, 4])
def test_discriminators_of_both_sizes_have_the_papers_layers(size, width):
    output, params = shapes(stacked_mnist.discriminator(width), (2, size, size, 3))
    assert output == (2,)
    kernels = 9 * (3 * width + width * 2 * width + 2 * width * 4 * width)
    assert count(params) == kernels + 3 * 7 * width - 2 * width + 16 * 4 * width + 1  # norm after all but the first


@pytest.mark.medium
def test_initial_kernels_have_the_papers_scale():
    """N(0, 0.02^2) in every layer of both networks."""
    x = jnp.zeros((2, 28, 28, 3))
    for net, argument in ((stacked_mnist.Generator(), jnp.zeros((2, 256))), (stacked_mnist.discriminator(4), x)):
        params = jax.jit(net.init)(jax.random.key(0), argument)["params"]
        for layer in (layer for layer in params.values() if "kernel" in layer):
            std = layer["kernel"].std()
            assert abs(std - 0.02) < 5 * 0.02 / np.sqrt(2 * layer["kernel"].size), f"{net} {layer['kernel'].shape}"


def test_packing_and_minibatch_discrimination_widen_the_discriminator():
    """Packing widens the first kernel, minibatch discrimination the last."""
    _, params = shapes(Packed(stacked_mnist.discriminator(), 4), (8, 28, 28, 3))
    assert params["net"]["Conv_0"]["kernel"] == (3, 3, 12, 2)
    _, params = shapes(stacked_mnist.discriminator(top=MinibatchDiscrimination(16, 5)), (8, 28, 28, 3))
    assert params["top"]["Dense_0"]["kernel"] == (128, 16 * 5) and params["Dense_0"]["kernel"] == (128 + 16, 1)


def doubled(x, kernel, side):
    """Computes the transpose of a stride 2 convolution whose padding is larger after than before."""
    h, c = x.shape[0], kernel.shape[-1]
    before = max(2 * (h - 1) + 3 - side, 0) // 2
    y = np.zeros((2 * h + 1, 2 * h + 1, c))
    for i, j, k, m in np.ndindex(h, h, 3, 3):
        y[2 * i + k, 2 * j + m] += x[i, j] @ kernel[2 - k, 2 - m]
    return y[before : before + side, before : before + side]


def convolved(x, kernel):
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    h = x.shape[0]
    return np.array([[np.tensordot(padded[i : i + 3, j : j + 3], kernel, 3) for j in range(h)] for i in range(h)])


@pytest.mark.medium
@pytest.mark.parametrize("size", [28, 32])
def test_generator_equals_numpy(size):
    """With the running statistics of batch norm."""
    g, rng = stacked_mnist.Generator(size=size), np.random.default_rng(0)
    z = rng.normal(size=(1, 7)).astype(np.float32)
    variables = jax.eval_shape(g.init, jax.random.key(0), z)
    variables = jax.tree.map(lambda leaf: rng.uniform(-0.3, 0.5, leaf.shape).astype(np.float32), variables)
    variables["batch_stats"] = jax.tree.map(lambda leaf: leaf + 0.5, variables["batch_stats"])
    params, stats = variables["params"], variables["batch_stats"]

    def active(x, i):
        norm, running = params[f"BatchNorm_{i}"], stats[f"BatchNorm_{i}"]
        x = (x - running["mean"]) / np.sqrt(running["var"] + 1e-5) * norm["scale"] + norm["bias"]
        return np.maximum(x, 0)

    x = active((z[0] @ params["Dense_0"]["kernel"] + params["Dense_0"]["bias"]).reshape(4, 4, 64), 0)
    for i, side in enumerate((size // 4, size // 2, size)):
        layer = params[f"ConvTranspose_{i}"]
        x = active(doubled(x, layer["kernel"], side) + layer["bias"], i + 1)
    expected = np.tanh(convolved(x, params["Conv_0"]["kernel"]) + params["Conv_0"]["bias"])
    np.testing.assert_allclose(jax.jit(g.apply)(variables, z)[0], expected, rtol=1e-3, atol=1e-3)

"""The convolutional networks: the tutorial's parameters, other sizes, batch norm, dropout."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_jax import BadInput
from gan_jax.nets import dcgan


def keys(n):
    return jax.random.split(jax.random.key(0), n)


def init(net, *args):
    """Returns `(output, variables)` by one compiled program; eager layers would compile one by one."""
    return jax.jit(net.init_with_output)(jax.random.key(1), *args)


def test_defaults_are_the_tutorials_layers():
    z, x = jax.ShapeDtypeStruct((2, 100), jnp.float32), jax.ShapeDtypeStruct((2, 28, 28, 1), jnp.float32)
    g = jax.eval_shape(dcgan.Generator().init_with_output, jax.random.key(0), z)
    d = jax.eval_shape(dcgan.Discriminator().init_with_output, jax.random.key(0), x)
    assert g[0].shape == (2, 28, 28, 1) and d[0].shape == (2,)
    kernels = lambda net: [layer["kernel"].shape for layer in net[1]["params"].values()]  # noqa: E731
    assert kernels(g) == [(3, 3, 256, 128), (3, 3, 128, 64), (3, 3, 64, 1), (100, 12544)]
    assert kernels(d) == [(3, 3, 1, 64), (3, 3, 64, 128), (6272, 1)]


@pytest.mark.parametrize("size, grown", [(28, (4, 7, 14, 28)), (32, (4, 8, 16, 32)), (64, (4, 8, 16, 32, 64))])
def test_networks_have_the_papers_layers(size, grown):
    """Checks every layer's shape and the number of parameters; no batch norm at the ends."""
    g, d = dcgan.paper((size, size, 3))
    doublings = len(grown) - 1
    assert dcgan.feature_sizes(size, g.strides) == grown
    x, of_g = jax.eval_shape(g.init_with_output, jax.random.key(0), jnp.zeros((2, 100)))
    scores, of_d = jax.eval_shape(d.init_with_output, jax.random.key(0), x)
    assert x.shape == (2, size, size, 3) and scores.shape == (2,)
    up, down = (*(1024, 512, 256, 128)[-doublings:], 3), (3, 64, 128, 256, 512)[: doublings + 1]

    assert jax.tree.map(jnp.shape, of_g["params"]) == {
        "Dense_0": {"kernel": (100, 4 * 4 * up[0]), "bias": (4 * 4 * up[0],)},
        **{f"ConvTranspose_{i}": {"kernel": (5, 5, a, b), "bias": (b,)} for i, (a, b) in enumerate(pairwise(up))},
        **{f"BatchNorm_{i}": {"scale": (width,), "bias": (width,)} for i, width in enumerate(up[:-1])},
    }
    assert jax.tree.map(jnp.shape, of_d["params"]) == {
        "Dense_0": {"kernel": (4 * 4 * down[-1], 1), "bias": (1,)},
        **{f"Conv_{i}": {"kernel": (5, 5, a, b), "bias": (b,)} for i, (a, b) in enumerate(pairwise(down))},
        **{f"BatchNorm_{i}": {"scale": (width,), "bias": (width,)} for i, width in enumerate(down[2:])},
    }
    sizes = [sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) for variables in (of_g, of_d)]
    kernels = [sum(25 * a * b + b for a, b in pairwise(widths)) for widths in (up, down)]
    assert sizes == [
        101 * 16 * up[0] + kernels[0] + 2 * sum(up[:-1]),
        kernels[1] + 2 * sum(down[2:]) + 16 * down[-1] + 1,
    ]


@pytest.mark.medium
def test_initial_parameters_have_the_papers_scales():
    """Kernels from N(0, 0.02^2), every gain one, every bias zero (sec. 4)."""
    for net, x in zip(dcgan.paper((28, 28, 1), width=8), (jnp.zeros((2, 100)), jnp.zeros((2, 28, 28, 1))), strict=True):
        params = jax.jit(net.init)(jax.random.key(0), x)["params"]
        for name, layer in params.items():
            assert (layer["bias"] == 0).all()
            if "BatchNorm" in name:
                assert (layer["scale"] == 1).all()
            elif layer["kernel"].size > 2000:
                assert abs(layer["kernel"].std() - 0.02) < 0.001 and abs(layer["kernel"].mean()) < 0.001


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 28, 3), (2,)])
def test_unsupported_sizes_are_refused(shape):
    with pytest.raises(BadInput, match="are not supported: give square"):
        dcgan.paper(shape)


@pytest.mark.medium
@pytest.mark.parametrize(
    "net, size",
    [
        (dcgan.Generator(size=32, channels=3, widths=(4, 3, 2)), 32),
        (dcgan.Generator(size=30, widths=(5, 4, 3), strides=(2, 2, 2), kernel_size=4), 30),
        (dcgan.Generator(size=6, widths=(4,), strides=(2,), kernel_size=5), 6),
    ],
)
def test_generator_makes_images_of_the_given_size(net, size):
    x, variables = init(net, 100 * jnp.ones((2, 5)))
    assert x.shape == (2, size, size, net.channels)
    assert 0.5 < jnp.abs(x).max() <= 1
    assert "batch_stats" not in variables


def test_generator_needs_one_stride_per_width():
    with pytest.raises(ValueError, match="zip"):
        dcgan.Generator(widths=(4, 3), strides=(2,)).init(jax.random.key(0), jnp.ones((2, 5)))


@pytest.mark.medium
def test_every_layer_but_the_last_has_batch_norm_updated_in_training():
    g = dcgan.Generator(size=8, widths=(4, 3, 2), norm=True)
    z = jax.random.normal(jax.random.key(0), (6, 5))
    x, variables = init(g, z)
    assert [s["mean"].shape for s in variables["batch_stats"].values()] == [(4,), (3,), (2,)]
    stats = jax.jit(lambda: g.apply(variables, z, mutable=["batch_stats"])[1])()
    moved = jax.tree.map(lambda a, b: (a != b).any(), stats["batch_stats"], variables["batch_stats"])
    assert all(jax.tree.leaves(moved))
    assert not np.allclose(x, jax.jit(g.apply)(variables, z))


def test_initializer_applies_to_every_kernel():
    constant = nn.initializers.constant(0.5)
    for net, argument in (
        (dcgan.Generator(size=4, widths=(3, 2), strides=(2, 1), kernel_init=constant), jnp.ones((2, 5))),
        (dcgan.Discriminator(widths=(3, 2), kernel_init=constant), jnp.ones((2, 4, 4, 1))),
    ):
        for layer in init(net, argument)[1]["params"].values():
            assert (layer["kernel"] == 0.5).all()


@pytest.mark.medium
def test_dropout_is_active_only_with_keys_and_per_example():
    d = dcgan.Discriminator(widths=(4, 3))
    x = jax.random.normal(jax.random.key(0), (4, 8, 8, 1))
    clean, variables = init(d, x)
    score = jax.jit(d.apply)
    noisy = score(variables, x, keys(4))
    assert (abs(clean - noisy) > 1e-3).all()
    np.testing.assert_allclose(score(variables, x), clean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(score(variables, x[2:], keys(4)[2:]), noisy[2:], rtol=1e-5, atol=1e-6)


def test_bfloat16_networks_return_float32():
    z, x = jnp.ones((2, 3)), jnp.ones((2, 4, 4, 1))
    g = dcgan.Generator(size=4, widths=(4, 3), strides=(2, 2), norm=True, dtype=jnp.bfloat16)
    for net, arguments in ((g, (z,)), (dcgan.Discriminator((2, 3), dtype=jnp.bfloat16), (x, keys(2)))):
        assert jax.eval_shape(net.init_with_output, jax.random.key(0), *arguments)[0].dtype == jnp.float32

"""LAPGAN's networks: the paper's parameters, and their inputs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.nets import lapgan
from gan_jax.nets.lapgan import Level, Sizes, networks

TINY = Sizes(g_widths=(6, 5), d_widths=(6, 5), dropout=0.25, finer=(Level(4, (5, 3, 3), 3, 5), Level(2, (3, 3), 2, 3)))


def outline(net, *shapes):
    """Returns `(output, parameters)` of a network as shapes."""
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    output, variables = jax.eval_shape(net.init_with_output, jax.random.key(0), *arguments)
    return output.shape, variables["params"]


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def kernels(params):
    return [layer["kernel"].shape for layer in params.values() if "kernel" in layer]


def test_networks_have_the_papers_sizes():
    """The paper gives the widths of the 8 x 8 level; kernels and maps of finer levels are from the authors' code."""
    g, d = networks((32, 32, 3), Sizes())
    assert [len(g), len(d)] == [3, 3]

    shape, params = outline(g[0], (2, 100))
    assert shape == (2, 8, 8, 3)
    assert kernels(params) == [(100, 1200), (1200, 1200), (1200, 192)]
    assert count(params) == (100 * 1200 + 1200) + (1200 * 1200 + 1200) + (1200 * 192 + 192) + 2 * 2 * 1200

    shape, params = outline(d[0], (2, 8, 8, 3))
    assert shape == (2,)
    assert count(params) == (192 * 600 + 600) + (600 * 600 + 600) + (600 + 1)

    for k, side in ((1, 16), (2, 32)):
        low = (2, side, side, 3)
        shape, params = outline(g[k], (2, side**2), low)
        assert shape == low
        assert kernels(params) == [(7, 7, 4, 128), (7, 7, 128, 128), (5, 5, 128, 3)]
        convolutions = (49 * 4 * 128 + 128) + (49 * 128 * 128 + 128) + (25 * 128 * 3 + 3)
        assert count(params) == convolutions + 2 * 2 * 128

        shape, params = outline(d[k], low, low)
        assert shape == (2,)
        top = (side // 2) ** 2 * 64 + 1
        assert count(params) == (25 * 3 * 64 + 64) + (25 * 64 * 64 + 64) + top


@pytest.mark.parametrize(
    "shape, sides",
    [
        ((28, 28, 1), [(7, 7), (14, 14), (28, 28)]),
        ((64, 64, 3), [(8, 8), (16, 16), (32, 32), (64, 64)]),
        ((10, 10, 1), [(5, 5), (10, 10)]),
        ((24, 40, 3), [(3, 5), (6, 10), (12, 20), (24, 40)]),
    ],
)
def test_images_are_halved_down_to_the_coarsest_size(shape, sides):
    g, d = networks(shape, TINY)
    assert len(g) == len(d) == len(sides)
    assert g[0].shape == (*sides[0], shape[2])


def test_coarsest_size_is_configurable():
    for coarsest, side in ((4, 4), (16, 16), (20, 16)):
        assert networks((32, 32, 1), TINY._replace(coarsest=coarsest)).g[0].shape == (side, side, 1)
    with pytest.raises(BadInput, match="16x16x1 are not supported: give images of even height and width, more than 16"):
        networks((16, 16, 1), TINY._replace(coarsest=16))


def test_last_level_sizes_apply_to_all_finer_levels():
    g, d = networks((64, 64, 1), TINY)
    assert (g[0].widths, d[0].widths, d[0].dropout) == ((6, 5), (6, 5), 0.25)
    assert [(net.width, net.kernel_sizes) for net in g[1:]] == [(4, (5, 3, 3)), (2, (3, 3)), (2, (3, 3))]
    assert [(net.width, net.kernel_size) for net in d[1:]] == [(3, 5), (2, 3), (2, 3)]
    assert len(networks((16, 16, 1), TINY).g) == 2


@pytest.mark.parametrize("shape", [(8, 8, 1), (27, 27, 1), (28, 27, 1), (2,)])
def test_unsupported_sizes_are_refused(shape):
    with pytest.raises(BadInput, match="are not supported"):
        networks(shape, TINY)


@pytest.mark.medium
def test_discriminator_scores_the_sum_of_residual_and_low_pass_image():
    _, d = networks((12, 12, 2), TINY)
    h, low, other = jax.random.normal(jax.random.key(0), (3, 4, 12, 12, 2))
    score, variables = jax.jit(d[1].init_with_output)(jax.random.key(1), h, low)
    apply = jax.jit(d[1].apply)
    np.testing.assert_allclose(apply(variables, h + other, low - other), score, rtol=1e-4, atol=1e-5)
    assert (abs(apply(variables, h, low + other) - score) > 1e-4).all()


def test_noise_is_an_image_plane_with_local_effect():
    """Noise at one pixel changes only the pixels within reach of the kernels."""
    g = lapgan.ResidualGenerator(width=4, kernel_sizes=(3, 3, 3))
    low, z = jnp.zeros((1, 9, 9, 1)), jnp.zeros((1, 81))
    variables = jax.jit(g.init)(jax.random.key(0), z, low)
    apply = jax.jit(g.apply)
    moved = apply(variables, z.at[0, 9 * 4 + 4].set(1.0), low) - apply(variables, z, low)
    rows, columns = np.nonzero(np.asarray(moved)[0, :, :, 0])
    assert len(rows) and rows.min() >= 1 and rows.max() <= 7 and columns.min() >= 1 and columns.max() <= 7
    assert not (moved[:, 0] != 0).any()


@pytest.mark.medium
def test_coarsest_discriminator_has_dropout_per_example():
    d = lapgan.Discriminator((16, 16))
    x = jax.random.normal(jax.random.key(0), (4, 3, 3, 1))
    each = jax.random.split(jax.random.key(2), 4)
    clean, variables = jax.jit(d.init_with_output)(jax.random.key(1), x)
    score = jax.jit(d.apply)
    noisy = score(variables, x, each)
    assert (abs(clean - noisy) > 1e-4).all()
    np.testing.assert_allclose(score(variables, x[2:], each[2:]), noisy[2:], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(score(variables, x), clean, rtol=1e-5, atol=1e-6)


def test_coarsest_image_is_bounded_and_batch_norm_is_updated_in_training():
    g = lapgan.Generator((3, 3, 2), (6, 5))
    z = 100 * jax.random.normal(jax.random.key(0), (8, 4))
    variables = jax.jit(g.init)(jax.random.key(1), z)
    x, stats = jax.jit(lambda: g.apply(variables, z, mutable=["batch_stats"]))()
    assert x.shape == (8, 3, 3, 2) and jnp.abs(x).max() <= 1
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), stats["batch_stats"], variables["batch_stats"])
    assert len(jax.tree.leaves(moved)) == 4 and all(jax.tree.leaves(moved))

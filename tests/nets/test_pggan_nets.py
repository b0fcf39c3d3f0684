"""The networks of progressive growing: their parameters, paths and scales, and the fade between two sizes."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_jax import BadInput
from gan_jax.nets import pggan
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.resampling import DownConv, UpConv, average_pool, upsample

pytestmark = pytest.mark.usefixtures("library_convolutions")

close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5)
KEY, Z = jax.random.key(0), 5
PAIRS = pggan.networks((12, 12, 2), base=16, most=6, group=2)
BORDERS = [pytest.param(*pair, id=f"{pair[0].g.size}-{pair[1].g.size}") for pair in pairwise(PAIRS)]


def shapes(net, *args):
    """Returns the shapes of output and parameters, without computing."""
    return jax.eval_shape(net.init_with_output, KEY, *args, jnp.float32(1))


def count(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


def test_networks_of_the_paper_have_its_numbers_of_parameters():
    """Table 2: 23.1 million each; here with the layers to and from RGB of two sizes."""
    g, d = pggan.networks((1024, 1024, 3))[-1]
    x, of_g = shapes(g, jnp.zeros((4, 512)))
    scores, of_d = shapes(d, x)
    assert x.shape == (4, 1024, 1024, 3) and scores.shape == (4,)
    assert [round(count(each) / 1e6, 1) for each in (of_g, of_d)] == [23.1, 23.1]
    widths = list(pairwise((512, 512, 512, 512, 256, 128, 64, 32, 16)))
    first, top = 512 * (16 * 512 + 1 + 9 * 512 + 1), 512 * (9 * 513 + 1 + 16 * 512 + 1) + 513
    to_rgb, from_rgb = 3 * (16 + 1) + 3 * (32 + 1), 16 * (3 + 1) + 32 * (3 + 1)
    assert count(of_g) == first + sum(b * (9 * a + 1 + 9 * b + 1) for a, b in widths) + to_rgb
    assert count(of_d) == top + sum(b * (9 * b + 1) + a * (9 * b + 1) for a, b in widths) + from_rgb


def test_sizes_are_halves_of_the_images_down_to_four_or_an_odd_number():
    sizes = {side: [pair.g.size for pair in pggan.networks((side, side, 1), 8, 2)] for side in (6, 28, 32, 40)}
    assert sizes == {6: [3, 6], 28: [7, 14, 28], 32: [4, 8, 16, 32], 40: [5, 10, 20, 40]}
    assert [pair.g.widths for pair in PAIRS] == [(6,), (6, 4), (6, 4, 2)]


@pytest.mark.parametrize("shape", [(27, 27, 1), (4, 4, 1), (32, 28, 3), (2,)])
def test_images_that_cannot_grow_are_refused(shape):
    with pytest.raises(BadInput, match="are not supported: give square images of an even number of pixels"):
        pggan.networks(shape)


def drawn(pair):
    """Draws the parameters of both networks, biases too; equal paths get equal values."""
    images = jnp.zeros((4, pair.g.size, pair.g.size, 2))
    variables = [shapes(net, x)[1] for net, x in zip(pair, (jnp.zeros((4, Z)), images), strict=True)]

    def draw(path, leaf):
        seed = sum(map(ord, jax.tree_util.keystr(path)))
        return jnp.asarray(np.random.RandomState(seed).normal(size=leaf.shape), jnp.float32)

    return [jax.tree_util.tree_map_with_path(draw, each) for each in variables]


def paths(variables):
    return {jax.tree_util.keystr(path): leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(variables)}


@pytest.mark.parametrize(("small", "large"), BORDERS)
def test_networks_have_the_parameters_of_the_next_smaller_ones_under_the_same_paths(small, large):
    for old, new in zip(map(paths, drawn(small)), map(paths, drawn(large)), strict=True):
        faded_out = {path for path in old if f"rgb_{small.g.size // 2}'" in path}
        assert {path: shape for path, shape in old.items() if path not in faded_out}.items() < new.items()
        assert len(faded_out) == (2 if small.g.size > 3 else 0)


def disturbed(variables, name):
    """Adds noise to the parameters of a layer or block."""
    params = {**variables["params"]}
    params[name] = jax.tree.map(lambda leaf: leaf + jax.random.normal(KEY, leaf.shape), params[name])
    return {"params": params}


@pytest.mark.medium
@pytest.mark.parametrize(("small", "large"), BORDERS)
def test_generator_fades_from_the_small_images_to_those_of_its_block(small, large):
    z = jax.random.normal(KEY, (4, Z))
    (low, _), (high, _) = drawn(small), drawn(large)
    grown = jax.jit(large.g.apply)
    before, after = grown(high, z, jnp.float32(0)), grown(high, z, jnp.float32(1))
    close(before, upsample(small.g.apply(low, z, jnp.float32(1))))
    close(grown(high, z, jnp.float32(0.3)), 0.3 * after + 0.7 * before)
    size = large.g.size
    for name, same in ((f"block_{size}", 0), (f"to_rgb_{size}", 0), (f"to_rgb_{size // 2}", 1)):
        other = disturbed(high, name)
        np.testing.assert_array_equal(grown(other, z, jnp.float32(same)), after if same else before)
        assert np.abs(grown(other, z, jnp.float32(1 - same)) - (before if same else after)).max() > 0.1


@pytest.mark.medium
@pytest.mark.parametrize(("small", "large"), BORDERS)
def test_discriminator_fades_from_the_scores_of_small_images_to_those_of_its_block(small, large):
    size = large.g.size
    x = jax.random.normal(KEY, (4, size, size, 2))
    (_, low), (_, high) = drawn(small), drawn(large)
    grown = jax.jit(large.d.apply)
    before, after = grown(high, x, jnp.float32(0)), grown(high, x, jnp.float32(1))
    close(before, small.d.apply(low, average_pool(x), jnp.float32(1)))
    for name, same in ((f"block_{size}", 0), (f"from_rgb_{size}", 0), (f"from_rgb_{size // 2}", 1)):
        other = disturbed(high, name)
        np.testing.assert_array_equal(grown(other, x, jnp.float32(same)), after if same else before)
        assert np.abs(grown(other, x, jnp.float32(1 - same)) - (before if same else after)).max() > 0.01


@pytest.mark.medium
@pytest.mark.parametrize("name", ["g", "d"])
def test_initial_activations_have_unit_scale(name):
    """Kernels that are not scaled would make them 17 times as large. Pooled ones are smaller, being means."""
    net = getattr(pggan.networks((8, 8, 3), 64, 32)[-1], name)
    x = jax.random.normal(KEY, (8, 32) if name == "g" else (8, 8, 8, 3))
    convolution = lambda module, method: isinstance(module, Conv | UpConv | DownConv)  # noqa: E731

    @jax.jit
    def run(x):
        variables = net.init(KEY, x, jnp.float32(1))
        options = {"capture_intermediates": convolution, "mutable": ["intermediates"]}
        return net.apply(variables, x, jnp.float32(1), **options)[1]

    scales = [float(jnp.sqrt(jnp.mean(nn.leaky_relu(each, 0.2) ** 2))) for each in jax.tree.leaves(run(x))]
    assert len(scales) >= 5 and all(0.4 < scale < 1.5 for scale in scales), scales


def test_scores_depend_on_the_images_of_their_group_only():
    x = jax.random.normal(KEY, (4, 3, 3, 2))
    (_, d), score = drawn(PAIRS[0]), PAIRS[0].d.apply
    moved = score(d, x, jnp.float32(1)) != score(d, x.at[0].add(1.0), jnp.float32(1))
    assert moved.tolist() == [True, True, False, False]

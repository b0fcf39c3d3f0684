"""StyleGAN2's networks: the authors' sizes, unit variance, latents of layers, noise, and the average of w."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import drawn

from gan_jax import BadInput
from gan_jax.engine.collectives import batch_axis
from gan_jax.nets import stylegan2
from gan_jax.nets.stylegan2 import Discriminator, Generator, Mapping

KEY = jax.random.key(0)
TINY = Generator((4, 2), side=3, channels=1, w_size=5, mapping_layers=1, decay=0.75)
Z, KEYS = jax.random.normal(KEY, (4, 6)), jax.random.split(KEY, 4)


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


@pytest.mark.medium
@pytest.mark.parametrize(
    ("layers", "g_parameters"), [pytest.param(2, 28_794_124, marks=pytest.mark.slow), (8, 30_370_060)]
)
def test_configuration_f_has_the_sizes_that_the_authors_program_prints(layers, g_parameters):
    """At 1024 x 1024 pixels: NVlabs/stylegan2-ada-pytorch lists 28,794,124 with two layers of its mapping network.

    Each further layer has 512 * 513 parameters; configuration F has eight. The discriminator's list sums to 29,012,513.
    """
    g, d = stylegan2.pair((1024, 1024, 3), mapping_layers=layers)
    images, g_tree = jax.eval_shape(g.init_with_output, KEY, jnp.zeros((4, 512)), KEYS[:4])
    scores, d_tree = jax.eval_shape(d.init_with_output, KEY, images)
    assert images.shape == (4, 1024, 1024, 3) and scores.shape == (4,) and g.layers == 18
    assert size(g_tree["params"]) == g_parameters
    assert size(d_tree["params"]) == 29_012_513


@pytest.mark.parametrize(
    ("shape", "side", "widths"),
    [((28, 28, 1), 7, (64, 32, 16)), ((32, 32, 3), 4, (64, 64, 32, 16)), ((6, 6, 1), 3, (64, 64))],
)
def test_pairs_fit_the_images(shape, side, widths):
    g, d = stylegan2.pair(shape, width=512, most=64)
    assert (g.side, g.channels, g.widths, d.widths) == (side, shape[2], widths, widths)


@pytest.mark.parametrize("shape", [(28, 32, 1), (7, 7, 1), (4, 4, 1), (2,)])
def test_unsupported_image_shapes_are_refused(shape):
    with pytest.raises(BadInput, match=r"examples of .* are not supported"):
        stylegan2.pair(shape)


@pytest.mark.slow
def test_maps_and_images_begin_at_unit_scale():
    """The mean square of every map of both networks, of w, of images and scores is 1, within a factor of five.

    A blur of noise, without low frequencies, takes half or more of its variance.
    """
    g, d = Generator((64, 32), channels=3, w_size=64, mapping_layers=4), Discriminator((64, 32))
    maps = lambda module, _: type(module).__name__ in {"Mapping", "StyledConv", "ToImage", "DownBlock"}  # noqa: E731

    @jax.jit
    def run(key):
        z, keys = jax.random.normal(key, (32, 64)), jax.random.split(key, 32)
        capture = {"capture_intermediates": maps, "mutable": ["intermediates"]}
        images, in_g = g.apply(g.init(key, z, keys), z, keys, **capture)
        x = jax.random.normal(key, (32, 8, 8, 3))
        scores, in_d = d.apply(d.init(key, x), x, **capture)
        everything = {"images": images, "scores": scores, "g": in_g["intermediates"], "d": in_d["intermediates"]}
        return jax.tree.map(lambda a: jnp.mean(jnp.square(a)), everything)

    found = run(KEY)
    assert len(jax.tree.leaves(found)) == 2 + 1 + 3 + 2 + 1
    for path, mean_square in jax.tree_util.tree_leaves_with_path(found):
        assert 0.2 < mean_square < 5, (jax.tree_util.keystr(path), mean_square)


def test_mapping_does_not_depend_on_the_length_of_z_and_learns_slowly():
    net = Mapping(5, 2)
    variables = net.init(KEY, Z)
    np.testing.assert_allclose(net.apply(variables, Z), net.apply(variables, 7 * Z), rtol=1e-4)
    assert np.std(variables["params"]["Dense_0"]["kernel"]) == pytest.approx(100, rel=0.3), "used times 0.01"


@pytest.fixture(scope="module")
def tiny():
    """Makes random variables of the tiny generator, and its jitted methods by name."""
    apply = {
        name: jax.jit(lambda variables, *args, name=name: TINY.apply(variables, *args, method=name))
        for name in ("__call__", "mapping", "synthesis")
    }
    return drawn(TINY, Z, KEYS), apply


def test_images_are_synthesized_from_the_mapped_latents(tiny):
    variables, apply = tiny
    ws = apply["mapping"](variables, Z)
    assert ws.shape == (4, TINY.layers, 5) and not np.any(ws - ws[:, :1])
    images = apply["synthesis"](variables, ws, KEYS)
    assert images.shape == (4, 6, 6, 1)
    np.testing.assert_allclose(images, apply["__call__"](variables, Z, KEYS), rtol=1e-5)


def test_every_latent_has_its_layer(tiny):
    """All change the image; the last one, of an image without demodulation, adds a term linear in its styles."""
    variables, apply = tiny
    ws = apply["mapping"](variables, Z)
    images = apply["synthesis"](variables, ws, KEYS)
    changed = [apply["synthesis"](variables, ws.at[:, i].add(1.0), KEYS) - images for i in range(TINY.layers)]
    assert all(np.abs(each).max() > 1e-3 for each in changed)
    twice = apply["synthesis"](variables, ws.at[:, -1].add(2.0), KEYS) - images
    np.testing.assert_allclose(twice, 2 * changed[-1], rtol=1e-3, atol=1e-5)


def test_noise_has_learned_strength_and_a_key_for_every_example(tiny):
    variables, apply = tiny
    same, other = KEYS.at[1].set(KEYS[0]), jax.random.split(jax.random.key(5), 4)
    z = Z.at[1].set(Z[0])
    images = apply["__call__"](variables, z, same)
    np.testing.assert_array_equal(images[0], images[1])
    assert np.abs(images - apply["__call__"](variables, z, other)).max() > 1e-2

    def silent(path, leaf):
        return 0 * leaf if path[-1].key == "strength" else leaf

    quiet = jax.tree_util.tree_map_with_path(silent, variables)
    np.testing.assert_array_equal(apply["__call__"](quiet, z, same), apply["__call__"](quiet, z, other))


def test_strengths_begin_at_zero():
    params = jax.jit(TINY.init)(KEY, Z, KEYS)["params"]["synthesizer"]
    assert [float(layer["strength"][0, 0, 0, 0]) for name, layer in params.items() if "StyledConv" in name] == 3 * [0]


@pytest.mark.slow
def test_average_of_w_moves_where_it_is_mutable_only(tiny):
    variables, apply = tiny
    w = apply["mapping"](variables, Z)[:, 0]
    _, updated = jax.jit(partial(TINY.apply, method="mapping", mutable=["w_average"]))(variables, Z)
    expected = 0.75 * variables["w_average"]["mean"] + 0.25 * w.mean(0)
    np.testing.assert_allclose(updated["w_average"]["mean"], expected, rtol=1e-5)
    np.testing.assert_array_equal(TINY.apply(variables, method="average"), variables["w_average"]["mean"])
    assert not np.any(TINY.init(KEY, Z, KEYS)["w_average"]["mean"]), "begins at zero"


def test_average_of_w_is_of_the_whole_batch(tiny):
    variables, _ = tiny

    def average(z):
        with batch_axis("batch"):
            return TINY.apply(variables, z, method="mapping", mutable=["w_average"])[1]["w_average"]["mean"]

    shares = jax.vmap(average, axis_name="batch")(Z.reshape(2, 2, 6))
    np.testing.assert_allclose(shares, np.broadcast_to(shares[:1], shares.shape))
    _, whole = TINY.apply(variables, Z, method="mapping", mutable=["w_average"])
    np.testing.assert_allclose(shares[0], whole["w_average"]["mean"], rtol=1e-5)

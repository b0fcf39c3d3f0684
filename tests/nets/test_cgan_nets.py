"""The networks of the first conditional GAN: the paper's sizes, maxout, dropout and labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import drawn

from gan_jax.nets import cgan

RANDOM = np.random.RandomState(0)
Z, X = (jnp.asarray(RANDOM.normal(size=shape), jnp.float32) for shape in ((6, 100), (6, 28, 28, 1)))
Y = jnp.asarray(np.arange(6), jnp.int32)
KEYS = jax.random.split(jax.random.key(2), 6)


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_parameters_have_the_papers_sizes():
    """Sec. 4.1: z to 200 and y to 1000, both to 1200, to 784; x to 240 x 5 and y to 50 x 5, both to 240 x 4, to 1."""
    g = jax.eval_shape(cgan.Generator((28, 28, 1), 10).init, jax.random.key(0), Z, Y)["params"]
    d = jax.eval_shape(cgan.Discriminator(10).init, jax.random.key(0), X, Y)["params"]
    assert {name: layer["kernel"].shape for name, layer in g.items()} == {
        "Dense_0": (100, 200),
        "Dense_1": (10, 1000),
        "Dense_2": (1200, 1200),
        "Dense_3": (1200, 784),
    }
    assert {name: layer.get("Dense_0", layer)["kernel"].shape for name, layer in d.items()} == {
        "Maxout_0": (784, 1200),
        "Maxout_1": (10, 250),
        "Maxout_2": (290, 960),
        "Dense_0": (240, 1),
    }
    assert size(g) == 101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784
    assert size(d) == 785 * 1200 + 11 * 250 + 291 * 960 + 241


@pytest.mark.parametrize("shape", [(28, 28, 1), (6, 6, 3)])
def test_images_have_the_given_shape_and_range(shape):
    g = cgan.Generator(shape, 10)
    variables = drawn(g, Z, Y)
    x = g.apply(variables, 1000 * Z, Y)
    assert x.shape == (6, *shape) and 0.9 < jnp.abs(x).max() <= 1
    assert variables.keys() == {"params"}
    scores, _ = jax.eval_shape(cgan.Discriminator(10).init_with_output, jax.random.key(0), x, Y)
    assert scores.shape == (6,)


def test_maxout_is_the_maximum_over_pieces():
    x = np.asarray(X).reshape(6, -1)[:, :7]
    layer = cgan.Maxout(units=3, pieces=4)
    y, variables = layer.init_with_output(jax.random.key(0), jnp.asarray(x))
    params = jax.tree.map(np.asarray, variables["params"]["Dense_0"])
    for b in range(6):
        for unit in range(3):
            columns = range(4 * unit, 4 * unit + 4)
            pieces = [x[b] @ params["kernel"][:, c] + params["bias"][c] for c in columns]
            assert y[b, unit] == pytest.approx(max(pieces), rel=1e-4, abs=1e-5)


@pytest.mark.medium
@pytest.mark.parametrize("net, x", [(cgan.Generator((28, 28, 1), 10), Z), (cgan.Discriminator(10), X)])
def test_output_depends_on_the_label_and_keys_turn_dropout_on(net, x):
    variables = jax.jit(net.init)(jax.random.key(0), x, Y)
    play = jax.jit(net.apply)
    clean = play(variables, x, Y)
    other, noisy = play(variables, x, Y[::-1]), play(variables, x, Y, KEYS)
    for changed in (other, noisy):
        assert (jnp.abs(changed - clean).reshape(6, -1).max(axis=1) > 1e-4).all()
    np.testing.assert_allclose(play(variables, x[2:], Y[2:], KEYS[2:]), noisy[2:], rtol=1e-4, atol=1e-5)
    never = net.clone(dropout=0.0)
    np.testing.assert_allclose(never.apply(variables, x, Y, KEYS), clean, rtol=1e-4, atol=1e-5)


@pytest.mark.medium
def test_optional_batch_norm_precedes_every_hidden_relu():
    """Then the output does not depend on the scale of the input."""
    g = cgan.Generator((28, 28, 1), 10, dropout=0.0, norm=True)
    variables = jax.jit(g.init)(jax.random.key(0), Z, Y)
    stats = variables["batch_stats"]
    assert [stats[f"BatchNorm_{i}"]["mean"].shape for i in range(3)] == [(200,), (1000,), (1200,)]
    play = jax.jit(lambda z: g.apply(variables, z, Y, mutable=["batch_stats"])[0])
    np.testing.assert_allclose(play(Z), play(50 * Z), atol=1e-3)
    assert jnp.abs(play(Z) - play(-Z)).max() > 0.1

"""The projection head against NumPy, and the small conditional networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import converged, drawn

from gan_jax.nets import dcgan, projection

KEY = jax.random.key(0)
Y = jnp.array([1, 0, 2, 1], jnp.int32)


def divided(matrix):
    return matrix / np.linalg.norm(matrix, 2)


def test_projection_adds_the_product_with_the_label_embedding():
    phi = np.random.RandomState(0).normal(size=(4, 6)).astype(np.float32)
    head = projection.Projection(classes=3)
    variables = converged(drawn(head, jnp.asarray(phi), Y))
    psi, rows = variables["params"]["Dense_0"]["kernel"], variables["params"]["Embed_0"]["embedding"]
    assert psi.shape == (6, 1) and rows.shape == (3, 6)
    psi, rows = divided(np.asarray(psi)), divided(np.asarray(rows))
    expected = [sum(phi[b, i] * (psi[i, 0] + rows[Y[b], i]) for i in range(6)) for b in range(4)]
    np.testing.assert_allclose(head.apply(variables, jnp.asarray(phi), Y), expected, rtol=1e-4, atol=1e-5)


def test_head_without_classes_is_linear():
    phi = jnp.ones((4, 6))
    scores, variables = projection.Projection(classes=0).init_with_output(KEY, phi)
    assert jax.tree.map(jnp.shape, variables["params"]) == {"Dense_0": {"kernel": (6, 1)}}
    assert scores.shape == (4,)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (64, 64, 3)])
def test_networks_have_the_widths_of_dcgan(shape):
    """Counts parameters: 4 x 4 kernels, and a gain and a bias per class and map."""
    g, d = projection.pair(shape, width=4, classes=10)
    theirs = dcgan.paper(shape, 4)
    assert (g.widths, d.widths) == (theirs.g.widths, theirs.d.widths)
    y = jnp.zeros(2, jnp.int32)
    made, g_tree = jax.eval_shape(g.init_with_output, KEY, jnp.zeros((2, 16)), y)
    scores, d_tree = jax.eval_shape(d.init_with_output, KEY, made, y)
    assert made.shape == (2, *shape) and scores.shape == (2,)
    sizes = [sum(leaf.size for leaf in jax.tree.leaves(tree["params"])) for tree in (g_tree, d_tree)]
    up = list(zip(g.widths, (*g.widths[1:], shape[2]), strict=True))
    down = list(zip((shape[2], *d.widths), d.widths, strict=False))
    flat = 4 * 4 * d.widths[-1]
    dense = 17 * 4 * 4 * g.widths[0]
    assert sizes == [
        dense + sum(16 * n * m + m for n, m in up) + sum(2 * 10 * n for n in g.widths),
        sum(16 * n * m + m for n, m in down) + flat + 10 * flat,
    ]


@pytest.mark.medium
def test_both_networks_depend_on_the_label():
    g, d = projection.pair((12, 12, 1), width=2, classes=3)
    z, x = jax.random.normal(KEY, (4, 5)), jax.random.normal(KEY, (4, 12, 12, 1))
    for net, argument in ((g, z), (d, x)):
        variables = drawn(net, argument, Y)
        play = jax.jit(lambda y, v=variables, net=net, a=argument: net.apply(v, a, y, mutable=["batch_stats"])[0])
        changed = jnp.abs(play(Y) - play((Y + 1) % 3)).reshape(4, -1).max(axis=1)
        assert (changed > 1e-4).all()

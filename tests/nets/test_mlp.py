"""The fully connected networks: shapes, batch norm and layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.nets import mlp


@pytest.mark.medium
def test_generator_has_batch_norm_and_bounded_output():
    g = mlp.Generator(shape=(4, 3, 2), widths=(5, 6))
    z = jax.random.normal(jax.random.key(0), (7, 3))
    variables = g.init(jax.random.key(1), z)
    assert jax.tree.map(jnp.shape, variables["batch_stats"]) == {
        "BatchNorm_0": {"mean": (5,), "var": (5,)},
        "BatchNorm_1": {"mean": (6,), "var": (6,)},
    }
    x, stats = g.apply(variables, 100 * z, mutable=["batch_stats"])
    assert x.shape == (7, 4, 3, 2) and x.dtype == jnp.float32
    assert jnp.abs(x).max() <= 1
    # Batch statistics have weight 1 - momentum = 0.3; the running variance starts at 1.
    assert (stats["batch_stats"]["BatchNorm_0"]["var"] > 0.7).all()
    assert not np.allclose(x, g.apply(variables, 100 * z))  # outside training the running statistics are used


def test_discriminator_has_the_given_layers():
    d = mlp.Discriminator(widths=(5, 4))
    x = jax.random.normal(jax.random.key(0), (7, 4, 3, 2))
    variables = d.init(jax.random.key(1), x)
    assert jax.tree.map(jnp.shape, variables["params"]) == {
        "Dense_0": {"kernel": (24, 5), "bias": (5,)},
        "Dense_1": {"kernel": (5, 4), "bias": (4,)},
        "Dense_2": {"kernel": (4, 1), "bias": (1,)},
    }
    scores = d.apply(variables, x, jax.random.split(jax.random.key(0), 7))
    assert scores.shape == (7,)
    np.testing.assert_array_equal(scores, d.apply(variables, x))


def test_bfloat16_networks_return_float32():
    g, d = mlp.Generator(widths=(4,), dtype=jnp.bfloat16), mlp.Discriminator(dtype=jnp.bfloat16)
    for net, argument in ((g, jnp.ones((2, 3))), (d, jnp.ones((2, 4, 4, 1)))):
        assert jax.eval_shape(net.init_with_output, jax.random.key(0), argument)[0].dtype == jnp.float32

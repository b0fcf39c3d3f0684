"""Batch norm by a vector: its gain and bias, by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.nets.layers.latent_norm import LatentBatchNorm


def test_gain_and_bias_of_an_example_are_linear_in_its_vector():
    x = jax.random.normal(jax.random.key(0), (4, 5, 3))
    z = jax.random.normal(jax.random.key(1), (4, 2))
    gain, bias = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    params = {"gain": {"kernel": gain}, "bias": {"kernel": bias, "bias": np.array([1.0, 2, 3])}}
    params = jax.tree.map(jnp.float32, params)
    stats = {"batch_stats": {"norm": {"mean": jnp.zeros(3), "var": jnp.ones(3)}}}
    found, _ = LatentBatchNorm(epsilon=0.0).apply({"params": params, **stats}, x, z, mutable=["batch_stats"])
    normal = (x - x.mean((0, 1), keepdims=True)) / x.std((0, 1), keepdims=True)
    expected = normal * (1 + z @ gain)[:, None] + (z @ bias + np.array([1.0, 2, 3]))[:, None]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_it_begins_near_plain_batch_norm():
    x, z = jax.random.normal(jax.random.key(0), (4, 50, 3)), jnp.zeros((4, 2))
    (found, _) = LatentBatchNorm().init_with_output(jax.random.key(1), x, z)
    np.testing.assert_allclose(found.mean((0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(found.std((0, 1)), 1, atol=1e-3)

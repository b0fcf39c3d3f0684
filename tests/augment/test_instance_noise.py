"""Instance noise: its standard deviation, and independence between examples."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.penalties import instance_noise

KEYS = jax.random.split(jax.random.key(0), 4)
X = jnp.asarray(np.ones((4, 20, 20, 3), np.float32))


def test_noise_has_the_given_standard_deviation():
    noise = instance_noise(X, KEYS, 0.5) - X
    np.testing.assert_allclose(noise.std(), 0.5, rtol=0.05)
    np.testing.assert_allclose(noise.mean(), 0.0, atol=0.03)
    np.testing.assert_array_equal(instance_noise(X, KEYS, 0.0), X)


def test_noise_depends_only_on_the_key_of_the_example():
    noisy = instance_noise(X, KEYS, 1.0)
    np.testing.assert_array_equal(instance_noise(X[2:], KEYS[2:], 1.0), noisy[2:])
    assert len(np.unique(np.asarray(noisy[:, 0, 0, 0]))) == 4


def test_standard_deviation_may_be_traced_and_dtype_is_kept():
    lanes = jax.vmap(instance_noise, (None, None, 0))(X.astype(jnp.bfloat16), KEYS, jnp.array([0.0, 1.0]))
    assert lanes.dtype == jnp.bfloat16
    assert bool((lanes[0] == 1).all())
    assert bool((lanes[1] != 1).any())

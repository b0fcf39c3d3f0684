"""Consistency penalties against hand computation."""

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax import penalties
from gan_jax.engine.keys import split, uniform

X = jnp.array([[1.0, 2.0], [0.0, -1.0]])
KEYS = jax.random.split(jax.random.key(0), 2)


def critic(x):
    return x[:, 0] + 10 * x[:, 1]  # 21 and -10 at X


def doubled(x, keys):
    return 2 * x


def moved(x, keys):
    return x.at[:, 0].add(uniform(keys))


def test_cr_is_the_squared_difference_of_scores():
    np.testing.assert_allclose(penalties.cr(critic, X, KEYS, doubled), [21.0**2, 100.0])
    np.testing.assert_allclose(penalties.cr(critic, X, KEYS, lambda x, keys: x), [0.0, 0.0])
    np.testing.assert_allclose(penalties.cr(critic, X, KEYS, moved), uniform(KEYS) ** 2, rtol=1e-4)


def test_bcr_adds_the_consistency_of_fakes_with_independent_keys():
    np.testing.assert_allclose(penalties.bcr(critic, X, 3 * X, KEYS, doubled), [10 * 21.0**2, 1000.0])
    drawn = penalties.bcr(critic, X, X, KEYS, moved)
    first, second = (uniform(keys) for keys in split(KEYS, 2))
    np.testing.assert_allclose(drawn, first**2 + second**2, rtol=1e-4)


def test_zcr_equals_hand_computation():
    """The generator doubles z, so moving z by (1, 0) moves the image by (2, 0) and its score by 2."""
    dz = jnp.array([[1.0, 0.0], [0.0, 3.0]])
    generator = lambda z: 2 * z  # noqa: E731
    np.testing.assert_allclose(penalties.zcr_d(critic, generator, X, dz), [4.0, 3600.0])
    np.testing.assert_allclose(penalties.zcr_g(generator, X, dz), [-4.0, -36.0])
    as_images = lambda z: generator(z).reshape(2, 1, 2, 1)  # noqa: E731
    np.testing.assert_allclose(penalties.zcr_g(as_images, X, dz), [-4.0, -36.0])

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.priors.interpolation import slerp


def pairs(size=16, count=5):
    return jax.random.normal(jax.random.key(0), (2, count, size))


def norm(x):
    return np.linalg.norm(x, axis=-1)


def test_slerp_of_equal_length_vectors_follows_the_great_circle():
    a, b = np.array(pairs(), np.float64)
    a, b = 3 * a / norm(a)[:, None], 3 * b / norm(b)[:, None]
    angle = np.arccos(np.sum(a * b, axis=-1, keepdims=True) / 9)
    for t in (0.0, 0.2, 0.5, 1.0):
        expected = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
        actual = slerp(jnp.float32(a), jnp.float32(b), t)
        np.testing.assert_allclose(actual, expected, atol=2e-6)


def test_slerp_has_the_given_ends_and_interpolates_lengths():
    a, b = pairs() * jnp.array([1.0, 4.0])[:, None, None]
    np.testing.assert_allclose(slerp(a, b, 0.0), a, atol=1e-5)
    np.testing.assert_allclose(slerp(a, b, 1.0), b, atol=1e-5)
    np.testing.assert_allclose(norm(slerp(a, b, 0.25)), 0.75 * norm(a) + 0.25 * norm(b), rtol=1e-5)


def test_slerp_accepts_one_t_per_pair():
    a, b = pairs()
    t = jnp.linspace(0, 1, 5)
    each = jnp.concatenate([slerp(a[i : i + 1], b[i : i + 1], t[i]) for i in range(5)])
    np.testing.assert_allclose(jax.jit(slerp)(a, b, t), each, atol=1e-6)


@pytest.mark.parametrize("nudge", [0.0, 1e-8, 1e-6, 1e-4])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("size", [2, 64])
def test_slerp_is_stable_near_equal_and_opposite_vectors(nudge, sign, size):
    a, noise = pairs(size)
    b = sign * a + nudge * noise
    path = np.array(jax.jit(jax.vmap(slerp, (None, None, 0)))(a, b, jnp.linspace(0, 1, 9)))
    assert np.isfinite(path).all()
    np.testing.assert_allclose(path[0], a, atol=2e-5)
    np.testing.assert_allclose(path[-1], b, atol=2e-5)
    np.testing.assert_allclose(norm(path), np.broadcast_to(norm(a), (9, 5)), rtol=1e-3)
    steps = norm(np.diff(path, axis=0))
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:1], steps.shape), rtol=0.02, atol=2e-5)


def test_slerp_of_zero_vectors_is_finite():
    a, zero = pairs()[0], jnp.zeros((5, 16))
    for t in (0.0, 0.5, 1.0):
        assert np.isfinite(slerp(a, zero, t)).all()
        assert np.isfinite(slerp(zero, a, t)).all()
        np.testing.assert_array_equal(slerp(zero, zero, t), zero)
    np.testing.assert_allclose(slerp(a, zero, 0.0), a, atol=1e-6)
    np.testing.assert_allclose(slerp(zero, a, 1.0), a, atol=1e-6)

"""Gradient penalties of critics with known gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import penalties
from gan_jax.engine.keys import split

W = jnp.array([[[1.0, -2.0, 2.0]]])  # norm 3
X = jnp.asarray(np.random.RandomState(0).normal(size=(5, 1, 1, 3)), jnp.float32)
KEYS = jax.random.split(jax.random.key(1), 5)


def linear(x):
    return jnp.sum(x * W[None], axis=(1, 2, 3))


def quadratic(x):
    return jnp.sum(x**2, axis=(1, 2, 3)) / 2


def test_r1_of_a_linear_critic_is_half_its_squared_norm():
    np.testing.assert_allclose(penalties.r1(linear, X), np.full(5, 4.5), rtol=1e-6)


def test_r1_of_a_quadratic_critic_is_half_the_squared_norm_of_each_example():
    expected = np.square(np.asarray(X)).sum((1, 2, 3)) / 2
    np.testing.assert_allclose(penalties.r1(quadratic, X), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(lambda x: penalties.r1(quadratic, x))(X), expected, rtol=1e-6)


def test_gradient_penalty_of_a_linear_critic_does_not_depend_on_the_interpolation():
    np.testing.assert_allclose(penalties.gradient_penalty(linear, X, -X, KEYS), np.full(5, 4.0), rtol=1e-5)


def test_gradient_penalty_interpolates_each_example_with_its_own_weight():
    ones = jnp.ones((5, 1, 1, 1))
    norms = jnp.sqrt(penalties.gradient_penalty(quadratic, 3 * ones, 2 * ones, KEYS)) + 1  # |x| between 2 and 3
    assert bool(((norms > 2) & (norms < 3)).all())
    assert len(np.unique(np.asarray(norms).round(4))) == 5


def test_gradient_at_a_constant_critic_is_finite():
    gradient = jax.grad(lambda a: penalties.gradient_penalty(lambda x: a * linear(x), X, -X, KEYS).sum())(0.0)
    assert np.isfinite(gradient)


def test_penalty_has_a_gradient_by_the_critics_parameters():
    """d/da of |a w|^2 / 2 is a |w|^2."""
    slope = jax.grad(lambda a: penalties.r1(lambda x: a * linear(x), X)[0])(2.0)
    np.testing.assert_allclose(slope, 2 * 9.0, rtol=1e-6)


def test_split_keys_are_all_different():
    drawn = [np.asarray(jax.random.key_data(k)) for k in (KEYS, *split(KEYS, 3))]
    assert len({tuple(row) for keys in drawn for row in keys}) == 20


def test_r2_is_r1_at_fake_examples():
    np.testing.assert_allclose(penalties.r2(linear, -X), np.full(5, 4.5), rtol=1e-6)
    np.testing.assert_allclose(penalties.r2(quadratic, 2 * X), 4 * penalties.r1(quadratic, X), rtol=1e-6)


@pytest.mark.parametrize(
    ("deviation", "steep", "shallow"),  # of gradients of norm 3 and 1/2
    [(penalties.two_sided, 4.0, 0.25), (penalties.one_sided, 4.0, 0.0), (penalties.zero_centered, 9.0, 0.25)],
)
def test_deviations_of_linear_critics_equal_hand_computation(deviation, steep, shallow):
    for critic, expected in ((linear, steep), (lambda x: linear(x) / 6, shallow)):
        values = penalties.gradient_penalty(critic, X, -X, KEYS, deviation)
        np.testing.assert_allclose(values, np.full(5, expected), rtol=1e-5, atol=1e-9)
    gradient = jax.grad(lambda a: penalties.gradient_penalty(lambda x: a * linear(x), X, X, KEYS, deviation).sum())(0.0)
    assert np.isfinite(gradient)


def test_dragan_interpolates_between_an_example_and_its_noise():
    """The gradient of the quadratic critic is the point itself, up to half the batch's deviation above x."""
    n = 4000
    x = jnp.where(jnp.arange(n) % 2, 6.0, 4.0)[:, None]  # standard deviation 1
    keys = jax.random.split(jax.random.key(3), n)
    penalty = jax.jit(lambda x: penalties.dragan(lambda x: jnp.sum(x**2, axis=1) / 2, x, keys))
    looked_at = 1 + jnp.sqrt(penalty(x))
    away = looked_at - x[:, 0]
    assert -1e-5 < away.min() < 0.01
    assert 0.4 < away.max() < 0.5
    np.testing.assert_allclose(away.mean(), 0.5 * 0.5 * 0.5, atol=0.005)  # noise and mixing weight are independent
    assert len(np.unique(np.asarray(away))) > n / 2


def test_dragan_of_a_linear_critic_does_not_depend_on_the_noise():
    np.testing.assert_allclose(penalties.dragan(linear, X, KEYS), np.full(5, 4.0), rtol=1e-5)


def test_max_gradient_is_the_batch_maximum_for_every_example():
    largest = np.square(np.asarray(X)).sum((1, 2, 3)).max()
    np.testing.assert_allclose(penalties.max_gradient(quadratic, X, X, KEYS), np.full(5, largest), rtol=1e-5)

"""f-divergences: tables by hand, conjugates by a numeric supremum, and estimation by the discriminator."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from by_hand import assert_by_hand

from gan_jax import losses
from gan_jax.losses.f_gan import EXP_TANGENT

E = np.e
LOG2, LOG1E = np.log(2), np.log(1 + np.e)  # softplus(0), softplus(1)
P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
M = (P + Q) / 2


class Case(NamedTuple):
    """Known values of a divergence: at scores -1, 0, 1, between P and Q, and the optimal score by likelihood ratio."""

    divergence: losses.Divergence
    activation: list[float]
    composition: list[float]
    value: float
    best: callable


CASES = {
    "kullback_leibler": Case(
        losses.kullback_leibler, [-1, 0, 1], [E**-2, E**-1, 1], sum(P * np.log(P / Q)), lambda r: 1 + np.log(r)
    ),
    "reverse_kullback_leibler": Case(
        losses.reverse_kullback_leibler, [-E, -1, -1 / E], [-2, -1, 0], sum(Q * np.log(Q / P)), np.log
    ),
    "pearson": Case(losses.pearson, [-1, 0, 1], [-3 / 4, 0, 5 / 4], sum((P - Q) ** 2 / Q), lambda r: 2 * (r - 1)),
    "squared_hellinger": Case(
        losses.squared_hellinger,
        [1 - E, 0, 1 - 1 / E],
        [1 / E - 1, 0, E - 1],
        sum((np.sqrt(P) - np.sqrt(Q)) ** 2),
        lambda r: np.log(r) / 2,
    ),
    "jensen_shannon": Case(
        losses.jensen_shannon,
        [LOG2 - LOG1E, 0, LOG2 - LOG1E + 1],
        [LOG1E - 1 - LOG2, 0, LOG1E - LOG2],
        sum(P * np.log(P / M)) + sum(Q * np.log(Q / M)),
        np.log,
    ),
    "gan_divergence": Case(
        losses.gan_divergence,
        [-LOG1E, -LOG2, 1 - LOG1E],
        [LOG1E - 1, LOG2, LOG1E],
        sum(P * np.log(P / M)) + sum(Q * np.log(Q / M)) - np.log(4),
        np.log,
    ),
}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_case
def test_losses_equal_hand_computation(case):
    scores = [1.0, -1.0, 0.0], [0.0, -1.0, 1.0]
    (a_minus, a_0, a_plus), (c_minus, c_0, c_plus) = case.activation, case.composition
    d = [c_0 - a_plus, c_minus - a_minus, c_plus - a_0]
    assert_by_hand(losses.f_gan(case.divergence), scores, d, [-a_0, -a_minus, -a_plus])


@every_case
def test_conjugate_is_the_supremum(case):
    """sup_u (u t - f(u)) on a fine grid of u, for t across the domain of the conjugate."""
    t = case.divergence.activation(jnp.linspace(-1.9, 2.0, 14))
    u = jnp.geomspace(1e-6, 1e3, 20_000)
    supremum = jnp.max(u[None] * t[:, None] - case.divergence.f(u)[None], axis=1)
    np.testing.assert_allclose(case.divergence.conjugate(t), supremum, rtol=1e-4, atol=1e-4)


@every_case
def test_composition_is_the_conjugate_of_the_activation(case):
    v = jnp.linspace(-6.0, 6.0, 25)
    naive = case.divergence.conjugate(case.divergence.activation(v))
    np.testing.assert_allclose(case.divergence.composition(v), naive, rtol=1e-3, atol=1e-5)


@pytest.mark.medium
@every_case
def test_optimal_discriminator_loss_is_minus_the_divergence(case):
    """The critic f'(p / q) is optimal: its loss is minus the divergence, and nearby critics have a larger one."""
    ratio = P / Q
    best = jnp.array(case.best(ratio), jnp.float32)
    slope = jax.vmap(jax.grad(case.divergence.f))(jnp.array(ratio, jnp.float32))
    np.testing.assert_allclose(case.divergence.activation(best), slope, rtol=1e-5, atol=1e-6)

    loss = losses.f_gan(case.divergence)
    p, q = jnp.array(P, jnp.float32), jnp.array(Q, jnp.float32)

    @jax.jit
    def d(v):
        """Computes the discriminator's expected loss: real examples come from P, fakes from Q."""
        real, fake = loss.d(v, jnp.zeros(3)), loss.d(jnp.zeros(3), v)
        return jnp.sum(p * real) + jnp.sum(q * fake) - loss.d(jnp.zeros(1), jnp.zeros(1))[0]

    np.testing.assert_allclose(d(best), -case.value, rtol=1e-5)
    np.testing.assert_allclose(jax.grad(d)(best), np.zeros(3), atol=1e-6)
    steps = 0.1 * jnp.concatenate([jnp.eye(3), -jnp.eye(3)])
    assert bool((jax.vmap(d)(best[None] + steps) > d(best)).all())


@every_case
def test_divergence_equals_the_expectation_of_f(case):
    np.testing.assert_allclose(sum(Q * np.asarray(case.divergence.f(jnp.array(P / Q)))), case.value, rtol=1e-5)


def test_gan_divergence_gives_the_non_saturating_loss():
    s_real, s_fake = jnp.array([0.3, -2.0, 40.0, -1e4]), jnp.array([1.0, 0.5, 0.0, 1e4])
    ours, original = losses.f_gan(losses.gan_divergence), losses.non_saturating
    np.testing.assert_allclose(ours.d(s_real, s_fake), original.d(s_real, s_fake), rtol=1e-6)
    np.testing.assert_allclose(ours.g(s_real, s_fake), original.g(s_real, s_fake), rtol=1e-6)


def test_exponential_continues_as_its_tangent():
    """Value and slope at 20 and far beyond."""
    v = jnp.array([EXP_TANGENT, EXP_TANGENT + 3, 1e4])
    top = np.exp(EXP_TANGENT)
    g = lambda v: losses.f_gan(losses.reverse_kullback_leibler).g(jnp.zeros(3), -v)  # noqa: E731
    np.testing.assert_allclose(g(v), [top, 4 * top, (1e4 - EXP_TANGENT + 1) * top], rtol=1e-5)
    np.testing.assert_allclose(jax.grad(lambda v: g(v).sum())(v), [top, top, top], rtol=1e-5)

"""Losses derived from losses, against hand computation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from by_hand import assert_by_hand

from gan_jax import losses

S_REAL, S_FAKE = [0.0, 0.0, 0.0, 0.0], [-2.0, 3.0, 1.0, -1.0]


@pytest.mark.parametrize(
    ("share", "g"),
    [
        (1.0, [2.0, -3.0, -1.0, 1.0]),
        (0.75, [0.0, -3.0 * 4 / 3, -1.0 * 4 / 3, 1.0 * 4 / 3]),
        (0.5, [0.0, -6.0, -2.0, 0.0]),
        (0.25, [0.0, -12.0, 0.0, 0.0]),
        (0.0, [0.0, -12.0, 0.0, 0.0]),
    ],
)
def test_top_k_equals_hand_computation(share, g):
    assert_by_hand(losses.top_k(losses.wasserstein, share), (S_REAL, S_FAKE), S_FAKE, g)


def test_top_k_share_may_be_traced():
    s_real, s_fake = jnp.array(S_REAL), jnp.array(S_FAKE)

    def g(share):
        return losses.top_k(losses.wasserstein, share).g(s_real, s_fake)

    expected = [[0.0, -12.0, 0.0, 0.0], [0.0, -6.0, -2.0, 0.0], [2.0, -3.0, -1.0, 1.0]]
    np.testing.assert_array_equal(jax.jit(jax.vmap(g))(jnp.array([0.25, 0.5, 1.0])), expected)


def test_top_k_count_is_robust_to_float_rounding():
    """0.6 of 25 keeps 15, though float32(0.6) * 25 is slightly larger."""
    for share in (0.6, jnp.float32(0.6)):
        values = losses.top_k(losses.wasserstein, share).g(jnp.zeros(25), jnp.arange(1.0, 26.0))
        assert int((values != 0).sum()) == 15


def test_tied_fakes_are_kept_together():
    values = losses.top_k(losses.wasserstein, 0.5).g(jnp.zeros(4), jnp.array([1.0, 2.0, 1.0, 0.0]))
    np.testing.assert_allclose(values, [-4 / 3, -8 / 3, -4 / 3, 0.0], rtol=1e-6)


def test_dropped_fakes_have_no_gradient():
    loss = losses.top_k(losses.wasserstein, 0.5)
    gradient = jax.grad(lambda s: loss.g(jnp.zeros(4), s).mean())(jnp.array(S_FAKE))
    np.testing.assert_allclose(gradient, [0.0, -0.5, -0.5, 0.0])


def smoothed_at(target):
    return (
        losses.scheduled(lambda step: losses.label_smoothing(target(step)))
        if callable(target)
        else (losses.label_smoothing(target))
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda share: losses.top_k(losses.wasserstein, share),
        lambda target: losses.top_k(smoothed_at(target), 0.5),
        lambda target: losses.relativistic_average(smoothed_at(target)),
    ],
    ids=["top-k", "top-k of a scheduled loss", "relativistic average of a scheduled loss"],
)
def test_scheduled_loss_is_the_loss_of_its_step(make):
    loss, scores = make(optax.linear_schedule(0.25, 1.0, 3)), (jnp.array(S_REAL), jnp.array(S_FAKE))
    values = jax.jit(jax.vmap(lambda step: (loss.at(step).d(*scores), loss.at(step).g(*scores))))(jnp.arange(5))
    for step, share in enumerate([0.25, 0.5, 0.75, 1.0, 1.0]):
        for got, side in zip(values, (make(share).d, make(share).g), strict=True):
            np.testing.assert_allclose(got[step], side(*scores), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss.d(*scores), make(0.25).d(*scores), rtol=1e-5)


def ensemble(loss, m):
    """Returns the loss of an ensemble, and the sum of the losses of its members."""
    s_real, s_fake = (jax.random.normal(jax.random.key(i), (6, m)) for i in range(2))
    sums = [sum(getattr(loss, side)(s_real[:, i], s_fake[:, i]) for i in range(m)) for side in "dg"]
    return [getattr(losses.summed(loss), side)(s_real, s_fake) for side in "dg"], sums


@pytest.mark.parametrize("loss", [losses.hinge, losses.relativistic_average(losses.hinge)])
def test_a_summed_loss_is_that_of_every_member_by_itself(loss):
    for found, expected in zip(*ensemble(loss, 3), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_every_member_pulls_the_generator_also_where_it_calls_samples_real():
    scores = jnp.array([[-3.0, 0.0], [1.5, 30.0]])
    slope = jax.grad(lambda s: losses.summed(losses.hinge).g(s, s).sum())(scores)
    np.testing.assert_array_equal(slope, -np.ones((2, 2)))


def test_a_summed_schedule_follows_its_steps():
    """Labels of 1 and then of 1/2 for real: -log D(x) of every member, and half of it and of -log(1 - D(x))."""
    halved = losses.scheduled(lambda step: losses.label_smoothing(1 / (1 + step.astype(jnp.float32))))
    s_real, certain = jnp.array([[1.0, 2.0]]), jnp.full((1, 2), -100.0)
    for step in (0, 1):
        found = losses.summed(halved).at(jnp.int32(step)).d(s_real, certain)
        by_member = jax.nn.softplus(-s_real) + step / 2 * s_real
        np.testing.assert_allclose(found, by_member.sum(1), rtol=1e-6)

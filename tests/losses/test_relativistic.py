"""Relativistic losses against hand computation."""

import jax.numpy as jnp
import numpy as np
from by_hand import assert_by_hand

from gan_jax import losses


def softplus(s):
    return np.log1p(np.exp(s))


def test_paired_loss_equals_hand_computation():
    """Differences 0, 2, -2 and differences at which exp overflows."""
    scores = [0.5, 3.0, -1.0, 5e3, -5e3], [0.5, 1.0, 1.0, -5e3, 5e3]
    d = [np.log(2), softplus(-2), softplus(2), 0.0, 1e4]
    g = [np.log(2), softplus(2), softplus(-2), 1e4, 0.0]
    assert_by_hand(losses.relativistic_paired, scores, d, g)


def test_average_loss_equals_hand_computation():
    """Means 2 and -1: real scores are 2 and 4 above the fake mean, fake scores 5 and 1 below the real mean."""
    scores = [1.0, 3.0], [-3.0, 1.0]
    d = [softplus(-2) + softplus(-5), softplus(-4) + softplus(-1)]
    g = [softplus(2) + softplus(5), softplus(4) + softplus(1)]
    assert_by_hand(losses.relativistic_average(losses.non_saturating), scores, d, g)


def test_average_least_squares_loss_equals_hand_computation():
    d = [(2 - 1) ** 2 / 2 + (-5 + 1) ** 2 / 2, (4 - 1) ** 2 / 2 + (-1 + 1) ** 2 / 2]
    g = [(2 + 1) ** 2 / 2 + (-5 - 1) ** 2 / 2, (4 + 1) ** 2 / 2 + (-1 - 1) ** 2 / 2]
    assert_by_hand(losses.relativistic_average(losses.lsgan(-1.0, 1.0, 0.0)), ([1.0, 3.0], [-3.0, 1.0]), d, g)


def test_average_wasserstein_loss_is_twice_the_wasserstein_loss():
    """The Wasserstein loss is already relativistic (Jolicoeur-Martineau 2018, sec. 4)."""
    s_real, s_fake = jnp.array([0.3, -2.0, 4.0]), jnp.array([1.0, 0.5, 0.0])
    ours = losses.relativistic_average(losses.wasserstein).d(s_real, s_fake)
    np.testing.assert_allclose(ours.mean(), 2 * losses.wasserstein.d(s_real, s_fake).mean(), rtol=1e-6)

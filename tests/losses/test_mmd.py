"""Kernel losses against hand computation and double sums, and their unbiasedness."""

from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from by_hand import assert_by_hand

from gan_jax import BadInput, losses

A, B = np.exp(-0.5), np.exp(-2)  # Gaussian kernel of bandwidth 1 at distances 1 and 2
SCORES = [0.0, 1.0], [0.0, 2.0]
EMBEDDINGS = jnp.asarray(np.random.RandomState(0).normal(size=(2, 4, 3)), jnp.float32)


def gaussian(distance):
    return sum(np.exp(-(distance**2) / (2 * s**2)) for s in (1, 2, 4, 8, 16))


def rational_quadratic(distance):
    return sum((1 + distance**2 / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5))


LOSSES = {
    "gaussian": (losses.mmd(losses.gaussian()), gaussian),
    "rational_quadratic": (losses.mmd(losses.rational_quadratic()), rational_quadratic),
    "cramer": (losses.cramer, lambda distance: -distance),
}

every_loss = pytest.mark.parametrize(("loss", "kernel"), LOSSES.values(), ids=LOSSES.keys())


def test_gaussian_kernel_loss_equals_hand_computation():
    g = np.array([A + B - (1 + B), A + B - (A + A)])
    assert_by_hand(losses.mmd(losses.gaussian((1.0,))), SCORES, -g, g)


def test_rational_quadratic_kernel_loss_equals_hand_computation():
    """1 / (1 + distance^2 / 2) is 2/3 between the real and 1/3 between the fake scores."""
    g = np.array([2 / 3 + 1 / 3 - (1 + 1 / 3), 2 / 3 + 1 / 3 - (2 / 3 + 2 / 3)])
    assert_by_hand(losses.mmd(losses.rational_quadratic((1.0,))), SCORES, -g, g)


def test_cramer_loss_equals_hand_computation():
    g = np.array([-1 - 2 + (0 + 2), -1 - 2 + (1 + 1)])
    assert_by_hand(losses.cramer, SCORES, -g, g)


def test_cramer_loss_of_embeddings_equals_hand_computation():
    """Real at (0, 0) and (3, 4), 5 apart; both fakes at (0, 4), at distances 4 and 3."""
    g = np.array([-5 - 0 + (4 + 4), -5 - 0 + (3 + 3)])
    assert_by_hand(losses.cramer, ([[0.0, 0.0], [3.0, 4.0]], [[0.0, 4.0], [0.0, 4.0]]), -g, g)


@every_loss
def test_mean_of_the_loss_is_the_double_sum(loss, kernel):
    x, y = np.asarray(EMBEDDINGS)
    k = lambda a, b: kernel(np.linalg.norm(a - b))  # noqa: E731
    pairs = [(i, j) for i in range(4) for j in range(4)]
    within = sum(k(x[i], x[j]) + k(y[i], y[j]) for i, j in pairs if i != j) / (4 * 3)
    between = sum(k(x[i], y[j]) for i, j in pairs) / (4 * 4)
    np.testing.assert_allclose(loss.g(*EMBEDDINGS).mean(), within - 2 * between, rtol=1e-4)


@every_loss
def test_loss_is_an_unbiased_estimate(loss, kernel):
    """Its average over all pairs drawn without replacement from four examples is the estimate on the four."""
    samples = [(i, j) for i in combinations(range(4), 2) for j in combinations(range(4), 2)]
    real, fake = (np.array(index) for index in zip(*samples, strict=True))
    small = jax.jit(jax.vmap(loss.g))(EMBEDDINGS[0][real], EMBEDDINGS[1][fake])
    np.testing.assert_allclose(small.mean(), loss.g(*EMBEDDINGS).mean(), rtol=1e-4, atol=1e-6)


@every_loss
def test_scalar_scores_equal_embeddings_of_size_1(loss, kernel):
    s_real, s_fake = EMBEDDINGS[:, :, 0]
    column = loss.g(s_real[:, None], s_fake[:, None])
    np.testing.assert_array_equal(loss.g(s_real, s_fake), column)


@every_loss
def test_gradient_at_equal_examples_is_zero(loss, kernel):
    gradient = jax.jit(jax.grad(lambda x, y: loss.g(x, y).sum(), (0, 1)))(jnp.ones((3, 2)), jnp.ones((3, 2)))
    np.testing.assert_array_equal(gradient, np.zeros((2, 3, 2)))


def test_batch_of_one_example_is_refused():
    with pytest.raises(BadInput, match="a batch of at least 2"):
        losses.cramer.g(jnp.zeros(1), jnp.zeros(1))

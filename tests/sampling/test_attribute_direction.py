"""Directions of attributes: a planted one is found, whatever the labels; logistic regression at its minimum."""

import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.sampling.attribute_direction import WEIGHT, attribute_direction, logistic_regression

RANDOM = np.random.default_rng(0)
N, SIZE = 2000, 10
W = RANDOM.normal(size=(N, SIZE)) * np.linspace(0.5, 2, SIZE)
PLANTED = RANDOM.normal(size=SIZE)
NO_LABELS = np.zeros(N, np.int32)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_a_planted_attribute_is_found_in_noise():
    values = W @ PLANTED + RANDOM.normal(size=N)
    found = attribute_direction(W, values, NO_LABELS)
    assert cosine(found.direction, PLANTED) > 0.98
    assert found.accuracy > 0.95 and found.held_out == N // 2 // 5


def test_labels_that_decide_the_values_do_not_hide_it():
    labels = RANDOM.integers(0, 3, N)
    values = W @ PLANTED + 100.0 * labels
    assert attribute_direction(W, values, labels).accuracy > 0.95
    assert attribute_direction(W, values, NO_LABELS).accuracy < 0.8


def test_an_attribute_that_latents_do_not_decide_is_told_by_chance():
    found = attribute_direction(W, RANDOM.normal(size=N), NO_LABELS)
    assert 0.35 < found.accuracy < 0.65


def test_an_attribute_that_all_samples_have_and_few_samples_are_refused():
    with pytest.raises(BadInput, match="as much of this attribute"):
        attribute_direction(W, np.full(N, 0.1), NO_LABELS)
    with pytest.raises(BadInput, match="39 samples are too few"):
        attribute_direction(W[:39], W[:39, 0], NO_LABELS[:39])
    assert attribute_direction(W[:40], W[:40, 0], NO_LABELS[:40]).held_out == 4


def test_logistic_regression_is_at_the_minimum_of_its_loss():
    x, y = RANDOM.normal(size=(200, 3)), RANDOM.integers(0, 2, 200)
    *a, b = logistic_regression(x, y)
    residual = 1 / (1 + np.exp(-(x @ a + b))) - y
    np.testing.assert_allclose(x.T @ residual + WEIGHT * np.array(a), 0, atol=1e-8)
    np.testing.assert_allclose(residual.sum(), 0, atol=1e-6)


def test_samples_that_a_plane_separates_have_a_finite_solution():
    x = np.concatenate([np.full((50, 1), -1e3), np.full((50, 1), 1e3)])
    assert np.isfinite(logistic_regression(x, np.repeat([0, 1], 50))).all()

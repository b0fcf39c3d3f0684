"""Moments of a data set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.data.moments import moments
from gan_jax.data.source import from_points


@pytest.fixture(scope="module")
def points():
    return np.random.RandomState(0).normal(3, [1, 2, 0], (100, 3)).astype(np.float32)


def doubled(x):
    """Two positions of three channels."""
    return jnp.stack([x, 2 * x], axis=1)


def test_moments_are_those_of_all_positions(points):
    both = np.concatenate([points, 2 * points]).astype(np.float64)
    mean, deviation = moments(from_points("points", points), doubled)
    np.testing.assert_allclose(mean, both.mean(0), rtol=1e-6)
    np.testing.assert_allclose(deviation, both.std(0), rtol=1e-5)


def test_large_data_is_read_in_part_and_evenly(points):
    mean, deviation = moments(from_points("points", points), doubled, examples=2)
    ends = np.concatenate([points[[0, -1]], 2 * points[[0, -1]]])
    np.testing.assert_allclose(mean, ends.mean(0), rtol=1e-6)
    np.testing.assert_allclose(deviation[:2], ends.std(0)[:2], rtol=1e-4)


def test_moments_are_values_while_a_program_is_traced(points):
    found = []
    jax.eval_shape(lambda: found.append(moments(from_points("points", points), doubled)) or jnp.zeros(()))
    np.testing.assert_allclose(found[0].mean, moments(from_points("points", points), doubled).mean)

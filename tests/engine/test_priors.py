"""Codes: their distributions, and independence of each other and of the batch size."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.engine.keys import example_keys
from gan_jax.engine.priors import Categorical, Uniform, draw

N = 10_000
KEYS = example_keys(jax.random.key(0), N)


@pytest.mark.parametrize("classes", [1, 3, 10])
def test_categorical_codes_are_uniform(classes):
    drawn = Categorical(classes).draw(KEYS)
    assert drawn.shape == (N,) and drawn.dtype == jnp.int32
    counts = np.bincount(drawn, minlength=classes)
    assert len(counts) == classes
    # Chi-square with k - 1 degrees of freedom: mean k - 1, variance 2 (k - 1).
    chi = np.sum((counts - N / classes) ** 2) / (N / classes)
    assert abs(chi - (classes - 1)) <= 4 * np.sqrt(2 * (classes - 1))


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (2.0, 5.0)])
def test_continuous_codes_are_uniform_between_their_bounds(low, high):
    drawn = np.sort(Uniform(low, high).draw(KEYS))
    assert drawn.shape == (N,) and drawn.dtype == np.float32
    assert low <= drawn[0] and drawn[-1] < high
    # Kolmogorov-Smirnov: the largest gap to the straight line exceeds 1.95 / sqrt(N) with probability 0.001.
    gap = np.abs((drawn - low) / (high - low) - (np.arange(N) + 0.5) / N).max()
    assert gap < 1.95 / np.sqrt(N)


def test_codes_are_keyed_by_name_and_independent():
    drawn = draw({"a": Categorical(4), "b": Categorical(4), "c": Uniform(), "d": Uniform()}, KEYS)
    assert list(drawn) == ["a", "b", "c", "d"]
    correlation = np.corrcoef(np.stack([np.asarray(leaf, float) for leaf in drawn.values()]))
    assert np.abs(correlation - np.eye(4)).max() < 4 / np.sqrt(N)


@pytest.mark.medium
def test_code_of_an_example_does_not_depend_on_the_batch():
    codes = {"a": Categorical(7), "b": Uniform()}
    few, many = (draw(codes, example_keys(jax.random.key(1), n)) for n in (5, 40))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b[:5]), few, many)
    jax.tree.map(np.testing.assert_array_equal, jax.jit(lambda keys: draw(codes, keys))(KEYS), draw(codes, KEYS))


def test_empty_prior_draws_no_codes():
    assert draw({}, KEYS) == {}

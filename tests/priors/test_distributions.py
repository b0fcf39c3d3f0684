"""Latents: their distributions, independence of each other and of the batch size, and paths between them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.engine.keys import example_keys
from gan_jax.priors import Categorical, ExampleKeys, Normal, Uniform, draw

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


def test_noise_is_standard_normal():
    drawn = np.asarray(Normal(3).draw(KEYS))
    assert drawn.shape == (N, 3) and drawn.dtype == np.float32
    covariance = drawn.T @ drawn / N
    assert np.abs(drawn.mean(0)).max() < 4 / np.sqrt(N) and np.abs(covariance - np.eye(3)).max() < 6 / np.sqrt(N)


def test_latents_that_are_added_change_none_before_them():
    prior = {"z": Normal(2), "c": Categorical(3), "u": Uniform()}
    drawn = draw(prior, KEYS)
    for count in (1, 2):
        fewer = draw(dict(list(prior.items())[:count]), KEYS)
        jax.tree.map(np.testing.assert_array_equal, fewer, {name: drawn[name] for name in fewer})
    correlation = np.corrcoef(np.stack([drawn["z"][:, 0], drawn["z"][:, 1], drawn["c"], drawn["u"]]))
    assert np.abs(correlation - np.eye(4)).max() < 4 / np.sqrt(N)


PRIOR = {"z": Normal(8), "u": Uniform(2.0, 3.0), "c": Categorical(5), "keys": ExampleKeys()}


@pytest.mark.parametrize("name", PRIOR)
def test_paths_have_the_given_ends_and_stay_in_the_distribution(name):
    each, t = PRIOR[name], jnp.linspace(0.0, 1.0, 5)
    a, b = (each.draw(example_keys(jax.random.key(seed), 6)) for seed in (0, 1))
    path = each.interpolate(a, b, t)
    assert path.shape == (6, 5, *a.shape[1:]) and path.dtype == a.dtype
    if name in ("c", "keys"):
        assert bool((path == a[:, None]).all())
        return
    np.testing.assert_allclose(path[:, 0], a, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(path[:, -1], b, rtol=1e-5, atol=1e-6)
    if name == "u":
        np.testing.assert_allclose(np.diff(path, axis=1), np.tile((b - a)[:, None] / 4, 4), rtol=1e-4, atol=1e-6)
    else:
        lengths, ends = np.linalg.norm(path, axis=2), np.linalg.norm(np.stack([a, b]), axis=2)
        np.testing.assert_allclose(lengths, np.linspace(*ends, 5, axis=1), rtol=1e-5)


def test_equal_numbers_of_other_kinds_are_other_distributions():
    """Samplers are compiled once for each prior: a code of 10 classes must not be taken for 10 values."""
    assert len({Normal(10), Categorical(10), Normal(10)}) == 2

"""Memorized and duplicate samples, in sets with a known number of copies."""

import itertools
import math

import numpy as np
import pytest

from gan_jax.errors import BadInput
from gan_jax.metrics import pairwise
from gan_jax.metrics.nearest_neighbors import Duplicates, duplicates, memorized_share, neighbors

BUDGETS = (8, 1000, 2**25)


def draws(n, m, dims, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dims)), rng.normal(size=(m, dims))


def all_pairs(x):
    return {(i, j): math.dist(x[i], x[j]) for i, j in itertools.combinations(range(len(x)), 2)}


@pytest.mark.parametrize("budget", BUDGETS)
def test_neighbors_equal_brute_force(monkeypatch, budget):
    monkeypatch.setattr(pairwise, "BLOCK", budget)
    samples, training = draws(20, 30, 3)
    distances, indices = neighbors(samples, training, 2)
    for x, found, index in zip(samples, distances, indices, strict=True):
        each = [math.dist(x, y) for y in training]
        np.testing.assert_allclose(found, sorted(each)[:2], rtol=1e-10)
        assert index.tolist() == np.argsort(each)[:2].tolist()


def test_copies_have_their_original_as_neighbor_at_distance_0():
    training = np.random.default_rng(0).integers(0, 256, (100, 784)).astype(np.uint8)
    distances, indices = neighbors(training[30:60], training)
    assert not distances.any() and indices[:, 0].tolist() == list(range(30, 60))
    changed = training[:1] + np.eye(1, 784, 5, dtype=np.uint8)
    np.testing.assert_allclose(neighbors(changed, training)[0], [[1]], rtol=1e-3)  # one pixel differs by 1 of 255


def test_memorized_samples_are_counted():
    new, training = draws(60, 200, 64)
    copied = training[:20] + 0.01 * new[:20]
    assert memorized_share(np.concatenate([copied, new]), training) == 20 / 80
    assert memorized_share(new, training) == 0
    assert memorized_share(training, training) == 1


def test_memorization_ratio_is_of_distances_not_squares():
    """Distances 1 and 3.1 are below a ratio of 1/3; 1 and 2.9 are not, though 1 / 2.9^2 is."""
    training = np.array([[0.0], [4.1], [-3.9]])
    assert memorized_share(np.array([[1.0]]), training) == 1
    assert memorized_share(np.array([[-1.0]]), training) == 0
    assert memorized_share(np.array([[-1.0]]), training, 0.5) == 1
    assert memorized_share(np.array([[1.0], [-1.0]]), training) == 0.5


def test_copies_of_duplicate_training_examples_are_not_counted():
    _, training = draws(1, 50, 16)
    assert memorized_share(training[:10], np.concatenate([training, training[:4]])) == 0.6


@pytest.mark.parametrize("budget", BUDGETS)
def test_duplicates_equal_brute_force(monkeypatch, budget):
    monkeypatch.setattr(pairwise, "BLOCK", budget)
    samples, real = draws(40, 60, 2)
    samples /= 3
    threshold = min(all_pairs(real[:40]).values())
    pairs = [pair for pair, distance in all_pairs(samples).items() if distance < threshold]
    assert len(pairs) > 3
    expected = len(pairs), len(set(itertools.chain(*pairs))) / 40, 40 * 39 / 2 / len(pairs)
    assert duplicates(samples, real) == pytest.approx(expected)


def test_support_of_a_finite_generator_is_estimated():
    """400 draws from 1,000 images have about 80 pairs of copies, up to small noise."""
    rng = np.random.default_rng(0)
    images, real = draws(1000, 400, 32)
    found = [duplicates(images[rng.integers(0, 1000, 400)] + 1e-3 * rng.normal(size=(400, 32)), real) for _ in range(9)]
    assert np.median([each.support for each in found]) == pytest.approx(1000, rel=0.15)
    assert all(0.2 < each.share < 0.5 for each in found)


def test_repeated_images_are_all_duplicates():
    _, real = draws(1, 50, 8)
    assert duplicates(np.repeat(real[:1], 50, axis=0), real) == (50 * 49 / 2, 1, 1)
    assert duplicates(np.repeat(real[:25], 2, axis=0), real) == (25, 1, 49)


@pytest.mark.parametrize("dims", [2, 100, 784])
def test_real_set_has_no_duplicates(dims):
    """In any order, though distances round differently."""
    _, real = draws(1, 61, dims)
    for seed in range(20):
        assert duplicates(np.random.default_rng(seed).permutation(real), real) == Duplicates(0, 0, math.inf)


def test_duplicate_real_examples_set_the_threshold_to_0():
    _, real = draws(1, 60, 4)
    repeated = np.concatenate([real, real[:1]])
    assert duplicates(repeated, repeated) == Duplicates(0, 0, math.inf)
    assert duplicates(np.ones((5, 2)), np.ones((5, 2))) == Duplicates(0, 0, math.inf)
    assert duplicates(np.repeat(real[:30], 2, axis=0), repeated) == (30, 1, 59)


def test_independent_draw_has_about_one_duplicate_pair():
    counts = [duplicates(*draws(30, 30, 4, seed)).pairs for seed in range(1000)]
    assert np.mean(counts) == pytest.approx(1, abs=4 * np.std(counts) / np.sqrt(1000))


def test_invalid_input_is_refused():
    samples, training = draws(5, 4, 3)
    with pytest.raises(BadInput, match="training: 4 samples are too few, at least 5"):
        neighbors(samples, training, 5)
    with pytest.raises(BadInput, match="training: 1 samples are too few, at least 2"):
        memorized_share(samples, training[:1])
    with pytest.raises(BadInput, match="real: 4 samples are too few, at least 5"):
        duplicates(samples, training)
    with pytest.raises(BadInput, match="samples: 1 samples are too few, at least 2"):
        duplicates(samples[:1], training)
    with pytest.raises(BadInput, match="training: 2 features, samples have 3"):
        neighbors(samples, training[:, :2])

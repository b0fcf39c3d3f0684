"""Blocked distances equal those of all pairs at once, and rounding respects the bounds."""

import numpy as np
import pytest

from gan_jax.errors import BadInput
from gan_jax.metrics import pairwise
from gan_jax.metrics.pairwise import SLACK, blocks, nearest, same_width, squared_distances

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(23, 5)), 1 + RNG.normal(size=(31, 5))
BUDGETS = (8, 8 * 7**2, 2**25)  # blocks of 1, of 7 x 7, and one block of all


def directly(a, b):
    return np.sum((a[:, None] - b[None]) ** 2, axis=-1)


def assembled(a, b=None, **slack):
    whole = np.full((len(a), len(a if b is None else b)), np.nan)
    for rows, columns, squared in squared_distances(a, b, **slack):
        assert np.isnan(whole[rows, columns]).all()  # no pair twice
        whole[rows, columns] = squared
    return whole


@pytest.mark.parametrize("budget", BUDGETS)
def test_blocks_cover_all_pairs(monkeypatch, budget):
    monkeypatch.setattr(pairwise, "BLOCK", budget)
    np.testing.assert_allclose(assembled(A, B), directly(A, B), rtol=1e-10)
    upper = np.triu(np.ones((23, 23), bool), 1)
    pairs = assembled(A)
    np.testing.assert_allclose(pairs[upper], directly(A, A)[upper], rtol=1e-10)
    assert not np.isfinite(pairs[~upper]).any()


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("k", [1, 4, 22])
def test_nearest_equal_sorted_distances(monkeypatch, budget, k):
    monkeypatch.setattr(pairwise, "BLOCK", budget)
    others = directly(A, A) + np.diag(np.full(23, np.inf))
    for squared, (found, indices) in ((directly(A, B), nearest(A, B, k)), (others, nearest(A, None, k))):
        assert found.shape == indices.shape == (23, k)
        np.testing.assert_array_equal(indices, np.argsort(squared, axis=1)[:, :k])
        np.testing.assert_allclose(found, np.sort(squared, axis=1)[:, :k], rtol=1e-10)


def test_blocks_stay_within_the_budget(monkeypatch):
    monkeypatch.setattr(pairwise, "BLOCK", 1000)
    shapes = [squared.shape for _, _, squared in squared_distances(A, B)]
    assert max(n * m * 8 for n, m in shapes) <= 1000 and len(shapes) == 3 * 3
    assert len(list(blocks(23))) == 3 * 4 // 2


@pytest.mark.parametrize("dims", [2, 784, 3072])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_copies_have_distance_0_and_slack_bounds_the_rounding(dims, offset):
    """At several widths, whose products round differently, and far from the origin."""
    x = offset + 255 * RNG.uniform(size=(40, dims))
    distances, indices = nearest(x, np.concatenate([x[::-1], x + 50])[3:], 1)
    np.testing.assert_array_equal(distances[:-3], 0)
    np.testing.assert_array_equal(indices[:-3, 0], np.arange(36, -1, -1))
    exact = directly(x.astype(np.longdouble), x.astype(np.longdouble))
    upper = np.triu(np.ones((40, 40), bool), 1)
    low, high = assembled(x)[upper], assembled(x, slack=SLACK)[upper]
    assert (low <= exact[upper]).all() and (exact[upper] <= high).all()
    np.testing.assert_allclose(low, high, rtol=1e-8)


def test_outlier_does_not_degrade_other_distances():
    x = np.array([[0.0], [1e-3], [3e-3], [1e6]])
    x = np.concatenate([x, -x[3:]])
    found, indices = nearest(x, None, 1)
    assert indices[:3, 0].tolist() == [1, 0, 1]
    np.testing.assert_allclose(found[:3, 0], [1e-6, 1e-6, 4e-6], rtol=1e-6)


def test_mismatched_sets_are_named():
    with pytest.raises(BadInput, match=r"fake: 5 features, real have 4: take both from one network"):
        same_width(A[:, :4], B, ("real", "fake"), (1, 1))
    with pytest.raises(BadInput, match=r"fake: 31 samples are too few, at least 32"):
        same_width(A, B, ("real", "fake"), (1, 32))

"""The number of statistically different bins: on equal and collapsed sets, and against scipy."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import chi2_contingency

from gan_jax.errors import BadInput
from gan_jax.metrics.ndb import Bins, different_bins, fit_bins


def blobs(seed, n=2000, weights=(0.25, 0.25, 0.25, 0.25)):
    rng = np.random.default_rng(seed)
    centers = 10 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    return centers[rng.choice(4, n, p=weights)] + rng.normal(size=(n, 3))


def test_bins_of_separated_clusters_are_the_clusters():
    bins = fit_bins(blobs(0), k=4)
    expected = 10 * np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(bins.centers[np.lexsort(np.round(bins.centers).T[::-1])], expected, atol=0.2)
    np.testing.assert_allclose(bins.shares, 0.25, atol=0.03)
    assert bins.count == 2000


def test_bins_are_a_fixed_point_of_k_means():
    """Each center is the mean, and each share the fraction, of the samples nearest to it."""
    x = blobs(0, n=500)
    bins = fit_bins(x, k=12)
    nearest = cdist(x, bins.centers).argmin(axis=1)
    np.testing.assert_allclose(bins.centers, [x[nearest == j].mean(axis=0) for j in range(12)])
    np.testing.assert_allclose(bins.shares, np.bincount(nearest, minlength=12) / 500)


def test_bins_are_a_function_of_the_seed():
    x = blobs(0, n=500)
    first, again, other = fit_bins(x, k=20, seed=1), fit_bins(x, k=20, seed=1), fit_bins(x, k=20, seed=2)
    np.testing.assert_array_equal(first.centers, again.centers)
    assert not np.array_equal(first.centers, other.centers)


def test_initial_centers_are_spread_out():
    """k-means++ starts with one sample of each of 30 tight clusters; uniform draws would repeat some."""
    rng = np.random.default_rng(0)
    clusters = rng.normal(size=(30, 5))
    x = clusters[np.arange(600) % 30] + 1e-4 * rng.normal(size=(600, 5))
    for seed in range(5):
        np.testing.assert_allclose(fit_bins(x, k=30, seed=seed).shares, 1 / 30)


def test_no_bin_is_empty():
    x = np.concatenate([np.zeros((50, 2)), 1e-3 * np.arange(10)[:, None] * np.ones((10, 2)), [[100.0, 0]]])
    for seed in range(10):
        assert (fit_bins(x, k=11, seed=seed).shares > 0).all()


def test_equal_distributions_differ_in_about_the_significance_share_of_bins():
    shares = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        real, fake = rng.uniform(size=(2, 3000, 4))
        shares.append(different_bins(fit_bins(real, k=50, seed=seed), fake).share)
    assert 0.01 < np.mean(shares) < 0.12


def test_collapsed_set_differs_in_nearly_all_bins():
    bins = fit_bins(blobs(0), k=20)
    collapsed = different_bins(bins, np.full((1000, 3), 3.3))
    assert collapsed.ndb >= 19 and collapsed.share == collapsed.ndb / 20
    assert collapsed.divergence > 0.5


def test_equal_sets_differ_in_no_bin():
    x = blobs(0)
    assert different_bins(fit_bins(x, k=20), x) == (0, 0, 0)


def test_bin_test_equals_scipy_chi_squared_of_the_2x2_table():
    """The squared pooled z is chi-squared with one degree of freedom, without continuity correction."""
    rng = np.random.default_rng(0)
    n, m, k = 400, 300, 30
    fake = rng.choice(k, m, p=rng.dirichlet(np.full(k, 3.0)))
    counts, fakes = rng.multinomial(n, np.full(k, 1 / k)), np.bincount(fake, minlength=k)
    bins = Bins(np.arange(k, dtype=np.float64)[:, None], counts / n, n)
    p_values = np.array(
        [
            chi2_contingency([[a, n - a], [b, m - b]], correction=False).pvalue
            for a, b in zip(counts, fakes, strict=True)
        ]
    )
    for significance in (0.01, 0.05, 0.3):
        found = different_bins(bins, fake[:, None], significance)
        assert found.ndb == np.sum(p_values < significance) > 0
    assert found.divergence == pytest.approx(jensenshannon(counts / n, fakes / m) ** 2)


def test_divergence_of_disjoint_sets_is_log_2():
    bins = Bins(np.array([[0.0], [1.0], [2.0]]), np.array([0.5, 0.5, 0]), 10)
    assert different_bins(bins, np.full((10, 1), 2.0)).divergence == pytest.approx(np.log(2))


def test_invalid_input_is_refused():
    x = blobs(0, n=50)
    with pytest.raises(BadInput, match="at least 100"):
        fit_bins(x)
    with pytest.raises(BadInput, match="2 distinct samples are too few for 3 bins"):
        fit_bins(np.repeat([[0.0], [1.0]], 10, axis=0), k=3)
    with pytest.raises(BadInput, match="1 bins"):
        fit_bins(x, k=1)
    bins = fit_bins(x, k=5)
    with pytest.raises(BadInput, match="2 features, the bins have 3"):
        different_bins(bins, x[:, :2])
    with pytest.raises(BadInput, match="between 0 and 1, not 5"):
        different_bins(bins, x, 5.0)

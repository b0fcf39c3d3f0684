"""The kernel distance: its value against hand computation and torch_fidelity, its error against repeated draws."""

import numpy as np
import pytest
from peers import torch_fidelity

from gan_jax.errors import BadInput
from gan_jax.metrics import pairwise
from gan_jax.metrics.kernel_distance import kernel_distance


def draws(n, m, dims, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dims)), shift + rng.normal(size=(m, dims))


def mmd(x, y):
    """Computes the unbiased MMD by its definition."""

    def k(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    n, m = len(x), len(y)
    xx, yy = (k(a, a) * (1 - np.eye(len(a))) for a in (x, y))
    return xx.sum() / (n * (n - 1)) + yy.sum() / (m * (m - 1)) - 2 * k(x, y).mean()


def jackknife(x, y):
    """Computes the jackknife error by leaving out each example."""
    variance = 0
    for left, right in ((x, y), (y, x)):
        without = [mmd(np.delete(left, i, axis=0), right) for i in range(len(left))]
        variance += (len(left) - 1) * np.var(without)
    return np.sqrt(variance)


@pytest.mark.parametrize("budget", [8, 1000, 2**25])
def test_value_and_error_equal_the_definitions_at_every_block_size(monkeypatch, budget):
    monkeypatch.setattr(pairwise, "BLOCK", budget)
    x, y = draws(17, 29, 6, 0.5)
    found = kernel_distance(x, y)
    assert found.value == pytest.approx(mmd(x, y), rel=1e-10)
    assert found.error == pytest.approx(jackknife(x, y), rel=1e-10)
    assert float(found) == found.value


def test_value_equals_hand_computation():
    """k(1, 3) = 64, k(0, 2) = 1, and across k(., 0) = 1, k(1, 2) = 27, k(3, 2) = 343."""
    x, y = np.array([[1.0], [3.0]]), np.array([[0.0], [2.0]])
    found = kernel_distance(x, y)
    assert found.value == 64 + 1 - 2 * (1 + 1 + 27 + 343) / 4
    assert np.isnan(found.error)  # the jackknife of 2 examples is undefined


def test_distance_is_symmetric():
    x, y = draws(30, 50, 4, 0.3)
    assert kernel_distance(x, y) == pytest.approx(kernel_distance(y, x))


@pytest.mark.parametrize("shift", [0.0, 0.2, 3.0])
def test_value_equals_torch_fidelity(shift):
    """With one subset of all samples."""
    torch_fidelity()
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = draws(200, 200, 64, shift)
    theirs = kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_subsets=1, kid_subset_size=200, verbose=False
    )
    value = theirs["kernel_inception_distance_mean"]
    assert kernel_distance(x, y).value == pytest.approx(value, rel=1e-9, abs=1e-12)


def test_mean_over_subsets_has_the_same_expectation():
    x, y = draws(400, 400, 8, 0.4)
    rng = np.random.default_rng(1)
    subsets = [kernel_distance(x[rng.choice(400, 40, False)], y[rng.choice(400, 40, False)]).value for _ in range(300)]
    assert abs(np.mean(subsets) - kernel_distance(x, y).value) < 4 * np.std(subsets) / np.sqrt(300)


@pytest.mark.medium
def test_value_is_unbiased_at_every_sample_size():
    for n, m in ((4, 3), (20, 30)):
        values = np.array([kernel_distance(*draws(n, m, 4, seed=seed)).value for seed in range(1000)])
        assert abs(values.mean()) < 4 * values.std() / np.sqrt(1000)
        assert values.min() < 0


def test_value_approaches_the_closed_form():
    """In one dimension 3 a^2 + 3 b^2 + c^2, from differences of moments: (0, 1, 0) against (1, 2, 4)."""
    x, y = draws(2000, 2000, 1, 1.0)
    found = kernel_distance(x, y)
    assert found.error < 3
    assert abs(found.value - (3 + 3 + 16)) < 3 * found.error


def test_error_equals_the_spread_of_repeated_draws():
    estimates = np.array([kernel_distance(*draws(50, 40, 4, 0.7, seed)) for seed in range(1000)])
    spread, error = estimates[:, 0].std(), np.sqrt(np.mean(estimates[:, 1] ** 2))
    assert spread == pytest.approx(error, rel=0.1)


def test_error_is_overestimated_for_equal_distributions():
    estimates = np.array([kernel_distance(*draws(50, 50, 4, seed=seed)) for seed in range(1000)])
    spread, error = estimates[:, 0].std(), np.sqrt(np.mean(estimates[:, 1] ** 2))
    assert error / spread == pytest.approx(np.sqrt(2), rel=0.1)


def test_collapsed_sets_have_a_large_distance():
    x, _ = draws(50, 1, 4)
    found = kernel_distance(np.repeat(x[:1], 20, axis=0), np.repeat(x[:1], 30, axis=0))
    assert found == pytest.approx((0, 0), abs=1e-12)
    collapsed = kernel_distance(x, np.repeat(x[:1], 50, axis=0))
    assert collapsed.value > 4 * collapsed.error


def test_invalid_input_is_refused():
    x, y = draws(2, 5, 3)
    for bad in ((x[:1], y), (y, x[:1])):
        with pytest.raises(BadInput, match="1 samples are too few, at least 2"):
            kernel_distance(*bad)
    with pytest.raises(BadInput, match="fake: 2 features, real have 3"):
        kernel_distance(x, y[:, :2])
    with pytest.raises(BadInput, match="not finite"):
        kernel_distance(x * np.nan, y)

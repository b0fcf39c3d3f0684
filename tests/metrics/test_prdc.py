"""Precision, recall, density and coverage: known cases and reference implementations."""

import math

import numpy as np
import pytest
from peers import torch_fidelity

from gan_jax.errors import BadInput
from gan_jax.metrics import pairwise
from gan_jax.metrics.prdc import PRDC, density_coverage, prdc, precision_recall


def draws(n, m, dims, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dims)), shift + rng.normal(size=(m, dims))


def brute_force(real, fake, k):
    """Computes the definitions pair by pair, with closed balls."""
    radius = [[sorted(math.dist(x, y) for y in own)[k] for x in own] for own in (real, fake)]
    in_real = np.array([[math.dist(x, y) <= r for x, r in zip(real, radius[0], strict=True)] for y in fake])
    in_fake = np.array([[math.dist(x, y) <= r for y, r in zip(fake, radius[1], strict=True)] for x in real])
    return PRDC(in_real.any(1).mean(), in_fake.any(1).mean(), in_real.sum(1).mean() / k, in_real.any(0).mean())


@pytest.mark.medium
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("budget", [8, 1000, 2**25])
def test_values_equal_the_definitions_at_every_block_size(monkeypatch, k, budget):
    monkeypatch.setattr(pairwise, "BLOCK", budget)
    real, fake = draws(30, 20, 3, 0.7)
    expected = brute_force(real, fake, k)
    assert prdc(real, fake, k) == pytest.approx(expected)
    assert precision_recall(real, fake, k) == pytest.approx(expected[:2])
    assert density_coverage(real, fake, k) == pytest.approx(expected[2:])


@pytest.mark.parametrize(("shift", "dims", "k"), [(0.0, 64, 5), (0.3, 20, 3), (1.0, 4, 10)])
def test_values_equal_the_prdc_package(shift, dims, k):
    """The package uses open balls, which is equivalent without ties."""
    package = pytest.importorskip("prdc")
    real, fake = draws(500, 400, dims, shift)
    expected = package.compute_prdc(real, fake, k)
    assert prdc(real, fake, k)._asdict() == pytest.approx(expected)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_precision_and_recall_equal_torch_fidelity(shift):
    torch_fidelity()
    import torch
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    real, fake = draws(300, 400, 32, shift)
    expected = calculate_precision_recall_full(torch.from_numpy(fake), torch.from_numpy(real))
    assert precision_recall(real, fake) == pytest.approx(expected)


def test_default_k_matches_the_papers():
    real, fake = draws(60, 50, 3, 0.5)
    assert precision_recall(real, fake) == prdc(real, fake, 3)[:2]
    assert density_coverage(real, fake) == prdc(real, fake, 5)[2:] == prdc(real, fake)[2:]


@pytest.mark.parametrize("dims", [2, 100, 3072])
def test_set_against_itself_scores_1(dims):
    """Every ball holds its center and k neighbors, one of them on its border."""
    x, _ = draws(200, 1, dims)
    assert prdc(x, x, 4) == pytest.approx((1, 1, 5 / 4, 1))
    assert prdc(x, np.random.default_rng(1).permutation(x), 4) == pytest.approx((1, 1, 5 / 4, 1))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 255.0])
@pytest.mark.parametrize("copies", [2, 7])
def test_set_against_copies_of_itself_scores_1(scale, copies):
    """With 7 copies all radii are 0; with one, examples lie on the border of many balls."""
    rng = np.random.default_rng(0)
    x = scale * rng.uniform(size=(50, 784))
    repeated = rng.permutation(np.repeat(x, copies, axis=0))
    for real, fake in ((x, repeated), (repeated, x), (repeated, rng.permutation(repeated))):
        assert prdc(real, fake, 5)[:2] == (1, 1)
        assert density_coverage(real, fake, 5).coverage == 1


def test_ties_count_as_inside():
    """Corners of a cube: all radii are equal and every border holds neighbors."""
    cube = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, 8).T * 0.1 + 0.3
    far = np.array([[0.3, 0.3, 0.1999999]] * 4)
    assert prdc(cube, cube[::-1], 3) == pytest.approx((1, 1, 4 / 3, 1))
    assert density_coverage(cube, far, 3).density == 0
    assert density_coverage(cube, far + np.array([0, 0, 1e-6]), 3).density == pytest.approx(1 / 3)


def test_dropping_one_of_two_clusters_halves_recall_and_coverage():
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(200, 8)), 1000 + rng.normal(size=(200, 8))
    real, fake = np.concatenate([near, far]), rng.normal(size=(400, 8))
    found = prdc(real, fake, 5)
    assert found.precision > 0.9 and 0.4 < found.recall <= 0.5
    assert found.density == pytest.approx(1, abs=0.1) and 0.45 < found.coverage <= 0.5


def test_collapse_to_one_image_keeps_precision_and_loses_recall():
    real, _ = draws(300, 1, 8)
    collapsed = np.repeat(real[:1], 300, axis=0)
    found = prdc(real, collapsed, 5)
    assert found.precision == 1 and found.recall == 1 / 300  # all radii of the fakes are 0
    assert found.coverage < 0.1


def test_constant_sets_are_scored():
    x = np.full((20, 3), 0.5)
    assert prdc(x, x, 5) == (1, 1, 4, 1)
    assert prdc(x, x + 0.5, 5) == (0, 0, 0, 0)


def test_distant_noise_scores_0():
    real, fake = draws(200, 200, 8, 100.0)
    assert prdc(real, fake) == (0, 0, 0, 0)


def test_real_outlier_inflates_precision_but_not_density():
    real, fake = draws(200, 200, 8, 20.0)
    outlier = np.concatenate([real, np.full((1, 8), 40.0)])
    found = prdc(outlier, fake, 5)
    assert found.precision == 1 and found.density == pytest.approx(1 / 5) and found.coverage == pytest.approx(1 / 201)


@pytest.mark.parametrize(("n", "m", "k"), [(40, 40, 5), (60, 20, 3)])
def test_density_and_coverage_of_equal_distributions_have_the_known_mean(n, m, k):
    """Ranks of neighbors are distribution-free; a ball is empty if its k nearest are all real."""
    scores = np.array([density_coverage(*draws(n, m, 3, seed=seed), k) for seed in range(300)])
    expected = 1, 1 - math.comb(n - 1, k) / math.comb(n + m - 1, k)
    np.testing.assert_array_less(np.abs(scores.mean(0) - expected), 4 * scores.std(0) / np.sqrt(300))


def test_values_do_not_depend_on_the_dtype():
    real, fake = (np.round(10 * x) for x in draws(60, 50, 3, 0.5))
    assert prdc(real.astype(np.float32), fake.astype(np.int8)) == prdc(real, fake)


def test_invalid_input_is_refused():
    real, fake = draws(6, 6, 3)
    assert prdc(real, fake, 5).recall <= 1
    with pytest.raises(BadInput, match="real: 5 samples are too few, at least 6"):
        prdc(real[:5], fake)
    with pytest.raises(BadInput, match="fake: 5 samples are too few, at least 6"):
        prdc(real, fake[:5])
    with pytest.raises(BadInput, match="fake: 3 samples are too few, at least 4"):
        precision_recall(real, fake[:3])
    assert density_coverage(real, fake[:1]).coverage <= 1  # needs no radii of fakes
    with pytest.raises(BadInput, match="real: 5 samples are too few, at least 6"):
        density_coverage(real[:5], fake)
    for score in (precision_recall, density_coverage, prdc):
        with pytest.raises(BadInput, match="fake: 2 features, real have 3"):
            score(real, fake[:, :2])
        with pytest.raises(BadInput, match="k must be at least 1, not 0"):
            score(real, fake, 0)

"""The Fréchet distance against closed forms, scipy's matrix square root, and torch_fidelity."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import torch_fidelity
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics.frechet import Moments, frechet_distance, frechet_distance_of, intra_frechet_distance, moments


def sample(seed, n=200, d=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def by_square_root(a, b):
    s1, s2 = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    root = scipy.linalg.sqrtm(s1 @ s2).real
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(s1 + s2 - 2 * root)


def test_moments_equal_numpy():
    x = sample(0, n=10_000)
    mean, covariance, count = moments(x)
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(x, rowvar=False), rtol=1e-12)
    assert count == 10_000 and covariance.dtype == np.float64


def test_distance_of_shifted_sets_is_the_squared_shift():
    x = sample(0)
    shift = np.array([3.0, -4.0, 0, 0, 0, 12.0])
    assert frechet_distance(x, x + shift) == pytest.approx(169, rel=1e-12)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10), st.floats(-5, 5)), min_size=1, max_size=8))
@settings(deadline=None)
def test_distance_of_independent_features_is_the_closed_form(parts):
    """sum (m1 - m2)^2 + (s1 - s2)^2, also for standard deviation 0."""
    s1, s2, shift = np.array(parts).T
    zero = np.zeros_like(shift)
    distance = frechet_distance_of(Moments(shift, np.diag(s1**2), 99), Moments(zero, np.diag(s2**2), 99))
    assert distance == pytest.approx(np.sum(shift**2 + (s1 - s2) ** 2), rel=1e-9, abs=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 12))
@settings(deadline=None, max_examples=30)
def test_distance_equals_the_matrix_square_root_formula_and_is_symmetric(seed, d):
    a, b = sample(seed, 60, d), sample(seed + 1, 40, d)
    distance = frechet_distance(a, b)
    assert distance == pytest.approx(by_square_root(a, b), rel=1e-6, abs=1e-6)
    assert distance == pytest.approx(frechet_distance(b, a), rel=1e-8, abs=1e-8)
    assert distance >= 0


def test_distance_equals_torch_fidelity():
    fid = pytest.importorskip(f"{torch_fidelity().__name__}.metric_fid")
    torch = pytest.importorskip("torch")
    a, b = sample(0, 400, 40), sample(1, 300, 40)
    statistics = (fid.fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b))
    expected = fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)


def test_distance_is_invariant_to_a_common_rotation():
    a, b = sample(0), sample(1)
    rotation = scipy.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0]
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(frechet_distance(a, b), rel=1e-10)


def test_distance_to_a_reordered_set_is_0():
    x = sample(0, 500, 64)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-6 * np.trace(np.cov(x, rowvar=False)))


def test_distance_is_nonnegative_despite_rounding():
    distances = [frechet_distance(x, x) for x in (1e3 * sample(seed, 20, 3) for seed in range(30))]
    assert all(0 <= distance < 1e-6 for distance in distances) and 0 in distances


def test_constant_features_do_not_change_the_distance():
    """Covariances of rank 3 of 6 in different directions, for which the root of the product is ill-conditioned."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50, 3)) * np.array([[1.0], [2.0]])[:, :, None]
    lift = scipy.linalg.qr(rng.normal(size=(6, 6)))[0]
    flat_a, flat_b = (np.pad(x, ((0, 0), (0, 3))) @ lift for x in (a, b))
    assert frechet_distance(flat_a, flat_b) == pytest.approx(frechet_distance(a, b), abs=1e-6)
    other = np.pad(b, ((0, 0), (3, 0))) @ lift
    apart = sum(np.trace(np.cov(x, rowvar=False)) + np.sum(x.mean(0) ** 2) for x in (a, b))
    assert frechet_distance(flat_a, other) == pytest.approx(apart, abs=1e-6)


def test_distance_of_float32_features_far_from_zero_is_accurate():
    x = sample(0).astype(np.float32) + 1000
    assert frechet_distance(x, x + np.float32(1)) == pytest.approx(6, rel=1e-4)


def test_too_few_samples_are_refused():
    with pytest.raises(BadInput, match="second set: 6 samples are too few for 6 features, at least 7 are needed"):
        frechet_distance(sample(0), sample(1, n=6))
    frechet_distance(sample(0), sample(1, n=7))
    with pytest.raises(BadInput, match="5 and 6 features"):
        frechet_distance_of(moments(sample(0, d=5)), moments(sample(0)))
    with pytest.raises(BadInput, match="not finite"):
        frechet_distance(sample(0), np.full((9, 6), np.nan))


def test_intra_distance_compares_class_by_class():
    real, fake = sample(0, 300), sample(1, 300)
    real_labels, fake_labels = np.arange(300) % 3, np.arange(300) // 100
    distance = intra_frechet_distance(real, real_labels, fake, fake_labels)
    expected = {i: frechet_distance(real[i::3], fake[100 * i : 100 * i + 100]) for i in range(3)}
    assert distance.classes == expected
    assert distance.mean == pytest.approx(np.mean(list(expected.values())))


def test_ignored_labels_raise_only_the_intra_distance():
    rng = np.random.default_rng(0)
    labels = np.arange(2000) % 2
    real = rng.normal(size=(2000, 2)) + 10 * labels[:, None]
    assert frechet_distance(real, real[::-1]) < 1e-9
    assert intra_frechet_distance(real, labels, real[::-1], labels).mean == pytest.approx(200, rel=0.05)


def test_class_with_fewer_samples_than_features_has_a_distance_and_its_rank():
    real, labels = sample(0, 20), np.repeat([0, 1], 10)
    found = intra_frechet_distance(real, labels, real[:14], labels[:14])
    a, b = real[10:], real[10:14]
    cross = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * cross)
    assert found.classes[1] == pytest.approx(expected, abs=1e-5)
    assert found.rank == 3
    assert intra_frechet_distance(real, labels, real, labels).rank == 6


def test_class_with_too_few_samples_is_named():
    real, labels = sample(0, 20), np.repeat([0, 1], 10)
    with pytest.raises(BadInput, match="fake, class 1: 1 samples are too few for 6 features, at least 2"):
        intra_frechet_distance(real, labels, real[:11], labels[:11])
    with pytest.raises(BadInput, match="fake, class 1: 0 samples are too few for 6 features"):
        intra_frechet_distance(real, labels, real, 2 * labels)
    with pytest.raises(BadInput, match="real, class 2: 0 samples are too few for 6 features"):
        intra_frechet_distance(real, 0 * labels, real, 2 * labels)
    with pytest.raises(BadInput, match="fake: 19 labels for 20 samples"):
        unchecked("metrics.frechet").intra_frechet_distance(real, labels, real, labels[1:])

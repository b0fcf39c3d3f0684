import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics.classes import class_shares, label_accuracy, mode_count, reverse_kl_classes


def test_shares_modes_and_reverse_kl_equal_hand_computation():
    labels = np.array([0, 2, 2, 5], np.int32)
    np.testing.assert_array_equal(class_shares(labels, 6), [0.25, 0, 0.5, 0, 0, 0.25])
    assert mode_count(labels) == 3
    expected = 0.5 * np.log(0.25 * 6) + 0.5 * np.log(0.5 * 6)
    assert reverse_kl_classes(labels, np.full(6, 1 / 6)) == pytest.approx(expected)


def test_reverse_kl_and_modes_of_1000_classes():
    """Uniform over all of 1,000 classes, and over 10 of them."""
    uniform = np.full(1000, 1e-3)
    assert mode_count(np.arange(26_000) % 1000) == 1000
    assert reverse_kl_classes(np.arange(26_000) % 1000, uniform) == pytest.approx(0, abs=1e-12)
    assert mode_count(np.arange(26_000) % 10) == 10
    assert reverse_kl_classes(np.arange(26_000) % 10, uniform) == pytest.approx(np.log(100))


def test_reverse_kl_is_finite_for_missing_classes_and_infinite_for_new_ones():
    assert reverse_kl_classes(np.array([0, 0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert reverse_kl_classes(np.array([0, 1]), np.array([1.0, 0.0])) == np.inf
    assert reverse_kl_classes(np.array([0, 0]), np.array([1.0, 0.0])) == 0


@given(st.lists(st.integers(0, 7), min_size=1, max_size=50), st.integers(0, 10**6))
def test_reverse_kl_equals_scipy_entropy(labels, seed):
    reference = np.random.default_rng(seed).dirichlet(np.ones(8))
    labels = np.array(labels)
    divergence = reverse_kl_classes(labels, reference)
    assert divergence == pytest.approx(entropy(class_shares(labels, 8), reference), rel=1e-9, abs=1e-12)
    assert divergence >= -1e-12 and mode_count(labels) == len(set(labels.tolist()))


def test_reverse_kl_of_real_draws_is_half_a_degree_of_freedom_per_sample():
    draws = np.random.default_rng(0).choice(100, size=(50, 10_000))
    mean = np.mean([reverse_kl_classes(labels, np.full(100, 0.01)) for labels in draws])
    assert mean == pytest.approx(99 / 20_000, rel=0.1)


def test_labels_may_be_jax_arrays():
    labels = jnp.array([1, 1, 0])
    assert mode_count(labels) == 2 and label_accuracy(labels, np.array([1, 0, 0])) == pytest.approx(2 / 3)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_label_accuracy_is_the_share_of_equal_pairs(pairs):
    a, b = np.array(pairs).T
    assert label_accuracy(a, b) == sum(x == y for x, y in pairs) / len(pairs)


def test_invalid_input_is_refused():
    with pytest.raises(BadInput, match="label 3 is not one of 3 classes"):
        class_shares(np.array([0, 3]), 3)
    with pytest.raises(BadInput, match="label -1 is below 0"):
        mode_count(np.array([0, -1]))
    with pytest.raises(BadInput, match="labels must be integers"):
        mode_count(np.array([0.5]))
    with pytest.raises(BadInput, match="there are no labels"):
        mode_count(np.array([], np.int32))
    with pytest.raises(BadInput, match="sum to 1, not to 3"):
        reverse_kl_classes(np.array([0]), np.ones(3))
    with pytest.raises(BadInput, match="2 predicted and 3 requested labels"):
        unchecked("metrics.classes").label_accuracy([0, 1], [0, 1, 2])

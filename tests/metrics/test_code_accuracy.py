"""The best matching of codes to classes: against hand computation and brute force, and at chance."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics import code_accuracy


def test_matching_equals_hand_computation():
    """Both values draw mostly class 1, value 0 more often, so that 1 is matched to class 0."""
    codes = np.array([0, 0, 0, 1, 1, 1])
    predicted = np.array([1, 1, 1, 1, 1, 0])
    accuracy, classes = code_accuracy(codes, predicted)
    assert accuracy == pytest.approx(4 / 6)
    assert classes.tolist() == [1, 0]


def test_accuracy_of_permuted_classes_is_1():
    labels = np.random.RandomState(0).randint(0, 10, 1000)
    renamed = np.random.RandomState(1).permutation(10)
    accuracy, classes = code_accuracy(labels, renamed[labels])
    assert accuracy == 1 and classes.tolist() == renamed.tolist()


def test_each_class_is_matched_once():
    accuracy, classes = code_accuracy(np.array([0, 0, 1]), np.array([4, 4, 4]))
    assert accuracy == pytest.approx(2 / 3) and classes.tolist() == [4, -1]


def test_extra_values_stay_unmatched():
    accuracy, classes = code_accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 1]))
    assert accuracy == pytest.approx(3 / 4) and classes.tolist() == [0, -1, 1]


def test_accuracy_of_an_independent_code_is_near_chance():
    draw = np.random.RandomState(0)
    accuracy, _ = code_accuracy(draw.randint(0, 10, 20_000), draw.randint(0, 10, 20_000))
    assert 0.1 < accuracy < 0.115


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_matching_is_the_best_of_all_permutations(pairs):
    codes, predicted = np.array(pairs).T
    accuracy, classes = code_accuracy(codes, predicted)
    best = max(np.mean(np.array(order)[codes] == predicted) for order in itertools.permutations(range(4)))
    assert accuracy == pytest.approx(best)
    assert accuracy == pytest.approx(np.mean(classes[codes] == predicted))
    taken = [c for c in classes if c >= 0]
    assert len(taken) == len(set(taken))


def test_codes_may_be_jax_arrays():
    assert code_accuracy(jnp.array([0, 1, 1]), jnp.array([5, 2, 2])).accuracy == 1


def test_invalid_input_is_refused():
    with pytest.raises(BadInput, match="2 predicted classes for 3 codes"):
        unchecked("metrics.classes").code_accuracy(np.arange(3), np.arange(2))
    with pytest.raises(BadInput, match="codes: labels must be integers"):
        code_accuracy(np.array([0.5]), np.array([0]))

"""The inception score at its bounds, against hand computation and torch_fidelity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import torch_fidelity

from gan_jax.errors import BadInput
from gan_jax.metrics.inception_score import inception_score


def softmax(logits):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def test_uniform_predictions_score_1():
    score = inception_score(np.full((100, 10), 0.1))
    assert score.value == pytest.approx(1, rel=1e-12) and score.error == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_one_hot_balanced_predictions_score_the_number_of_classes(classes):
    score = inception_score(np.eye(classes)[np.arange(100 * classes) % classes], splits=5)
    assert score.value == pytest.approx(classes, rel=1e-12) and score.error == pytest.approx(0, abs=1e-12)


def test_one_hot_predictions_of_one_class_score_1():
    assert float(inception_score(np.eye(10)[np.full(50, 3)])) == pytest.approx(1, rel=1e-12)


def test_score_equals_hand_computation():
    """The marginal is (1/2, 1/4, 1/4); one row is one-hot, the other uniform over two classes."""
    p = np.array([[1, 0, 0], [0, 0.5, 0.5]])
    expected = np.exp((np.log(2) + np.log(2)) / 2)
    assert float(inception_score(p, splits=1)) == pytest.approx(expected, rel=1e-12)


def test_splits_are_consecutive_and_the_error_is_their_standard_deviation():
    """Each half has one class, the whole has two."""
    p = np.eye(2)[np.repeat([0, 1], 10)]
    assert float(inception_score(p, splits=1)) == pytest.approx(2)
    assert tuple(inception_score(p, splits=2)) == pytest.approx((1, 0))
    three_one = np.concatenate([np.eye(2)[[0, 1]], np.eye(2)[[0, 0]]])
    assert tuple(inception_score(three_one, splits=2)) == pytest.approx((1.5, 0.5))


@given(st.integers(0, 10**6), st.integers(10, 40), st.integers(1, 12), st.floats(0.1, 30))
@settings(deadline=None, max_examples=30)
def test_score_lies_between_1_and_the_number_of_classes(seed, n, classes, scale):
    p = softmax(scale * np.random.default_rng(seed).normal(size=(n, classes)))
    assert 1 - 1e-9 <= float(inception_score(p, splits=3)) <= classes + 1e-9


@pytest.mark.parametrize("scale", [1, 200])
def test_score_equals_torch_fidelity(scale):
    isc = pytest.importorskip(f"{torch_fidelity().__name__}.metric_isc")
    torch = pytest.importorskip("torch")
    logits = scale * np.random.default_rng(0).normal(size=(500, 20))
    expected = isc.isc_features_to_metric(torch.from_numpy(logits), splits=10, shuffle=False)
    score = inception_score(softmax(logits))
    assert score.value == pytest.approx(expected["inception_score_mean"], rel=1e-9)
    assert score.error == pytest.approx(expected["inception_score_std"], rel=1e-9)


def test_rows_that_are_not_probabilities_are_refused():
    p = np.full((20, 4), 0.25)
    with pytest.raises(BadInput, match=r"20 of 20 rows .* first \[0\] with sum 4: give probabilities, not logits"):
        inception_score(4 * p)
    p[7] = [1.5, -0.5, 0, 0]
    with pytest.raises(BadInput, match=r"1 of 20 rows .* first \[7\]"):
        inception_score(p)
    with pytest.raises(BadInput, match="9 samples are too few, at least 10"):
        inception_score(p[:9])
    with pytest.raises(BadInput, match="at least 1 split, not 0"):
        inception_score(p, splits=0)

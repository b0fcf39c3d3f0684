"""Scores of label maps against tables by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unchecked import unchecked

from gan_jax.errors import BadInput
from gan_jax.metrics.segmentation import confusion, segmentation_scores

TARGET = np.array([[[0, 0, 0, 0], [1, 1, 2, 2]]])
PREDICTED = np.array([[[0, 0, 0, 1], [1, 1, 1, 2]]])


def test_scores_equal_hand_computation():
    np.testing.assert_array_equal(confusion(PREDICTED, TARGET, 3), [[3, 1, 0], [0, 2, 0], [0, 1, 1]])
    found = segmentation_scores(PREDICTED, TARGET, 3)
    assert found == pytest.approx((6 / 8, (3 / 4 + 1 + 1 / 2) / 3, (3 / 4 + 2 / 4 + 1 / 2) / 3))


def test_classes_that_do_not_occur_do_not_count():
    assert segmentation_scores(PREDICTED, TARGET, 12) == segmentation_scores(PREDICTED, TARGET, 3)


def test_predicted_class_that_is_not_in_the_target_lowers_the_iou_only():
    """Class 1 is predicted, never wanted: its IoU is 0; class accuracy has no such class."""
    target, predicted = np.zeros((1, 2, 2), np.int32), np.array([[[0, 0], [0, 1]]])
    assert segmentation_scores(predicted, target, 2) == pytest.approx((3 / 4, 3 / 4, (3 / 4 + 0) / 2))


def test_pixels_are_counted_over_all_images():
    """The means of single images are other numbers."""
    target, predicted = np.array([[[0, 0]], [[0, 1]]]), np.array([[[0, 0]], [[1, 1]]])
    assert segmentation_scores(predicted, target, 2) == pytest.approx((3 / 4, (2 / 3 + 1) / 2, (2 / 3 + 1 / 2) / 2))


def test_a_shape_of_one_color_does_not_depend_on_the_integer_type():
    small, large = (PREDICTED.astype(np.uint8), TARGET.astype(np.uint8)), (PREDICTED, TARGET)
    assert segmentation_scores(*small, 40) == segmentation_scores(*large, 40)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_scores_equal_loops_over_classes(pixels):
    predicted, target = (np.array(side)[None, None] for side in zip(*pixels, strict=True))
    accuracies, ious = [], []
    for k in range(5):
        wanted, found = (side == k for side in (target, predicted))
        if wanted.any():
            accuracies.append((wanted & found).sum() / wanted.sum())
        if (wanted | found).any():
            ious.append((wanted & found).sum() / (wanted | found).sum())
    expected = (np.mean(predicted == target), np.mean(accuracies), np.mean(ious))
    assert segmentation_scores(predicted, target, 5) == pytest.approx(expected)


def test_invalid_labels_are_refused():
    with pytest.raises(BadInput, match="target: label 2 is not one of 2 classes, 0 to 1"):
        segmentation_scores(np.zeros_like(TARGET), TARGET, 2)
    with pytest.raises(BadInput, match="predicted: label -1 is not one of 3 classes"):
        segmentation_scores(PREDICTED - 1, TARGET, 3)
    with pytest.raises(BadInput, match="two of one shape"):
        unchecked("metrics.segmentation").segmentation_scores(PREDICTED[:, :1], TARGET, 3)
    with pytest.raises(BadInput, match="at least one pixel"):
        segmentation_scores(PREDICTED[:0], TARGET[:0], 3)

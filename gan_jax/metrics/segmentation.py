"""Scores of label maps: what a frozen segmenter sees in translated images, against the labels they were made from.

Long, Shelhamer and Darrell 2015, "Fully convolutional networks for semantic segmentation",
https://arxiv.org/abs/1411.4038; Isola et al. 2017 score translations by it, https://arxiv.org/abs/1611.07004.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Integer

from gan_jax.errors import BadInput

LabelMaps = Integer[np.ndarray, "N H W"]


class SegmentationScores(NamedTuple):
    """Scores over all pixels of all images, 0 to 1."""

    pixel_accuracy: float
    class_accuracy: float
    mean_iou: float


def segmentation_scores(predicted: LabelMaps, target: LabelMaps, classes: int) -> SegmentationScores:
    """Computes per-pixel accuracy, the mean accuracy of a class, and the mean intersection over union (IoU).

    With n_ij pixels of class i predicted as j, and t_i = sum_j n_ij:

        pixel accuracy = sum_i n_ii / sum_i t_i    class accuracy = mean_i n_ii / t_i
        mean IoU = mean_i n_ii / (t_i + sum_j n_ji - n_ii)

    Means are over the classes that occur: in `target` for the class accuracy, in either for the IoU. Pixels are counted
    over all images; the mean of the scores of single images is another number.

    Raises:
        BadInput: the shapes differ, there are no pixels, or a label is not one of 0 to `classes` - 1.
    """
    n = confusion(predicted, target, classes)
    hits, wanted, found = np.diag(n), n.sum(axis=1), n.sum(axis=0)
    union = wanted + found - hits
    return SegmentationScores(
        float(hits.sum() / n.sum()),
        float(np.mean(hits[wanted > 0] / wanted[wanted > 0])),
        float(np.mean(hits[union > 0] / union[union > 0])),
    )


def confusion(predicted: LabelMaps, target: LabelMaps, classes: int) -> Int[np.ndarray, "K K"]:
    """Counts the pixels of every class of `target` (rows) by predicted class (columns).

    Raises:
        BadInput: as `segmentation_scores`.
    """
    if predicted.shape != target.shape or not target.size:
        shapes = f"{list(predicted.shape)} and {list(target.shape)}"
        raise BadInput(f"label maps of {shapes} pixels: give two of one shape, with at least one pixel")
    for name, labels in (("predicted", predicted), ("target", target)):
        if labels.min() < 0 or labels.max() >= classes:
            wrong = labels.min() if labels.min() < 0 else labels.max()
            raise BadInput(f"{name}: label {wrong} is not one of {classes} classes, 0 to {classes - 1}: raise classes")
    flat = target.astype(np.int64).ravel() * classes + predicted.astype(np.int64).ravel()
    return np.bincount(flat, minlength=classes**2).reshape(classes, classes)
